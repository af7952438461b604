"""One file for ENV_FILE and for shells: both read what was written."""

import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from local.env_file import env_file

VALUES = (
    "5:150,20:500",
    "@support",
    "two words",
    "it's",
    'a "quoted" word',
    "a;b&c|d>e",
    "~/media:~/other",
    "100 $ or $HOME",
    "back\\slash",
    "#7",
    "`id`",
    "кот",
)


@pytest.mark.parametrize("value", VALUES)
def test_shells_and_dotenv_read_the_same(value: str, tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(env_file(str(path), {"SUPPORT_CONTACT": value}))
    shell = ["sh", "-euc", f'set -a; . {path}; printf %s "$SUPPORT_CONTACT"']
    read = subprocess.run(shell, check=True, capture_output=True, text=True, env={})  # noqa: S603 - our own
    assert read.stdout == value
    assert dotenv_values(path) == {"SUPPORT_CONTACT": value}


@pytest.mark.parametrize("value", ["${HOME}", "'`id`", "both ' and \" and $"])
def test_what_they_would_read_differently_is_named(value: str) -> None:
    assert "# SUPPORT_CONTACT cannot be written for both" in env_file("env", {"SUPPORT_CONTACT": value})


def test_only_settings_are_in_it() -> None:
    given = {
        "PATH": "/bin",
        "AWS_REGION": "here",
        "KIE_API_KEY_2": "k",
        "KIE_API_KEY_2_ACCOUNT": "a",
        "WEB_HOST": "",
    }
    lines = [line for line in env_file("env", given).splitlines() if line and not line.startswith("#")]
    assert lines == ["AWS_REGION=here", "KIE_API_KEY_2=k", "KIE_API_KEY_2_ACCOUNT=a"]
