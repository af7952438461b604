"""Importing aiogram takes seconds and doubles a worker's memory, which needs a dozen Bot API calls only."""

import subprocess
import sys

import pytest

from tests.run.programs import ROOT, START_SECONDS_MAX


@pytest.mark.parametrize(
    "modules", ["worker_main, worker_parts", "bot_main"], ids=["worker", "bot before its settings"]
)
def test_aiogram_is_not_imported(modules: str) -> None:
    told = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", f"import sys, {modules}; print('aiogram' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=START_SECONDS_MAX,
        check=True,
    )
    assert told.stdout.strip() == "False"
