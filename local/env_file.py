"""What the programs of a `make run` are given, as a file: for ENV_FILE, and for shells (`set -a; . file`)."""

import io
import re
import shlex
from collections.abc import Mapping
from typing import Final

from dotenv import dotenv_values

from settings import Settings

_HEAD: Final = """\
# Written at each start of `make run`: the addresses and secrets of its servers, for commands beside it.
#   ENV_FILE={path} .venv/bin/python admin_main.py doctor
#   set -a; . {path}; set +a; .venv/bin/temporal workflow list
"""
_OTHERS: Final = re.compile(r"KIE_API_KEY(_\d+)?(_ACCOUNT)?|AWS_\w+|NO_PROXY|TEMPORAL_CODEC_\w+")
_EXPANDED_BY_SHELLS: Final = re.compile(r"[$`\\!]")


def env_file(path: str, settings: Mapping[str, str]) -> str:
    lines = [_line(name, value) for name, value in sorted(settings.items()) if value and _is_setting(name)]
    return "\n".join([_HEAD.format(path=shlex.quote(path)), *lines, ""])


def _is_setting(name: str) -> bool:
    """What else is in the environment belongs to whoever started us."""
    return name.lower() in Settings.model_fields or bool(_OTHERS.fullmatch(name))


def _line(name: str, value: str) -> str:
    """Shells and dotenv read the same; the odd value for which there is no such way is named."""
    for quoted in (value, f"'{value}'", f'"{value}"'):
        if _for_shells(quoted) == value and _for_dotenv(f"{name}={quoted}") == {name: value}:
            return f"{name}={quoted}"
    return f"# {name} cannot be written for both: set it yourself"


def _for_shells(quoted: str) -> str | None:
    """None for what a shell would change, or what is no single word."""
    if shlex.quote(quoted) == quoted:
        return quoted
    if quoted.startswith('"') and _EXPANDED_BY_SHELLS.search(quoted):
        return None
    if not quoted.startswith(("'", '"')):
        return None
    try:
        words = shlex.split(quoted)
    except ValueError:
        return None
    return words[0] if len(words) == 1 else None


def _for_dotenv(line: str) -> dict[str, str | None]:
    return dotenv_values(stream=io.StringIO(line))
