"""A worker needs a dozen Bot API calls; importing aiogram for them would double its memory."""

import subprocess
import sys

from tests.run.programs import ROOT, START_SECONDS_MAX

_ASK = "import sys, worker_main, worker_parts; print('aiogram' in sys.modules)"


def test_a_worker_never_imports_aiogram() -> None:
    told = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _ASK],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=START_SECONDS_MAX,
        check=True,
    )
    assert told.stdout.strip() == "False"
