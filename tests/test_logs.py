"""What a log line looks like to a machine, and what it never holds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = """
import logging, sys
import structlog
from pydantic import SecretStr
from logs import set_up_logging

set_up_logging(sys.argv[1], [SecretStr("kie-secret-0123456789"), SecretStr("")])
structlog.get_logger("ours").info("started", token="kie-secret-0123456789", role="kie")
logging.getLogger("theirs").warning("GET /bot123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOpp/getMe")
logging.getLogger("theirs").warning("Authorization: Bearer sk-1234567890")
logging.getLogger("httpx").info("chatter")
try:
    raise ValueError("postgresql://bot:pa55word@db/neurocards kie-secret-0123456789")
except ValueError:
    structlog.get_logger("ours").exception("failed")
"""
SECRETS = ("kie-secret-0123456789", "AAbbCCddEEffGGhhIIjjKKllMMnnOOpp", "sk-1234567890", "pa55word")


def written(log_format: str) -> str:
    answer = subprocess.run(  # noqa: S603 - our own program, in a process of its own: logging is global
        [sys.executable, "-c", PROGRAM, log_format],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return answer.stderr


@pytest.mark.parametrize("log_format", ["json", "text", "auto"])
def test_no_secret_in_any_line(log_format: str) -> None:
    text = written(log_format)
    assert not [secret for secret in SECRETS if secret in text]
    assert "started" in text
    assert "ValueError" in text
    assert "chatter" not in text


def test_json_is_one_object_per_line() -> None:
    lines = [json.loads(line) for line in written("json").splitlines()]
    assert lines[0]["event"] == "started"
    assert lines[0]["role"] == "kie"
    assert {"timestamp", "level", "logger"} <= lines[0].keys()
