"""A short run with a published seed, on the real processes: nothing lost, nothing twice."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from local.programs import ROOT
from tests.chaos.plan import FaultKind
from tests.chaos.player import play

SEED = 20
MINUTES = 0.5
TIME_SCALE = 0.02  # an answer that is lost for good is given up after 24 s


@pytest.mark.timeout(600)
async def test_half_a_minute_of_chaos_breaks_no_promise() -> None:
    tally, folder = await play(SEED, MINUTES, print, time_scale=TIME_SCALE)
    assert tally.violations == [], folder
    assert tally.unrest == {}, folder
    assert not folder.exists()
    assert tally.counts["orders"] > 0
    assert {name.partition(":")[0] for name in tally.broken} >= {kind.value for kind in FaultKind}
    assert min(tally.checked[promise] for promise in ("I1", "I2", "captured is seen once", "sums")) > 0


@pytest.mark.timeout(400)
async def test_ctrl_c_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos", "--seed", "1", "--minutes", "2"),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    await _line_with(process, "breaking things")
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGINT)
    output, _ = await process.communicate()
    assert process.returncode == 130, output
    assert b"nothing is left behind" in output
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    assert list(tmp_path.iterdir()) == []


async def _line_with(process: asyncio.subprocess.Process, words: str) -> None:
    assert process.stdout is not None
    said = ""
    async for line in process.stdout:
        said += line.decode()
        if words in said:
            return
    raise AssertionError(f"it never said {words}: {said}")
