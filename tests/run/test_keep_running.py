"""A program that ended is started again, also when that cannot be done at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console

from local.processes import in_words
from local.programs import Program
from local.progress import ConsoleProgress

SLEEPS = ("-c", "import time; time.sleep(170)")


@pytest_asyncio.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    program = Program("worker", SLEEPS, folder=tmp_path, environment={})
    await program.launch()
    yield program
    await program.stop()


async def test_a_log_that_cannot_be_written_is_told_and_tried_again(program: Program, tmp_path: Path) -> None:
    log, said, restarted = tmp_path / "logs" / "worker.log", asyncio.Queue[str](), asyncio.Event()
    keeping = asyncio.create_task(program.keep_running(said.put_nowait, restarted.set))
    log.unlink()
    log.mkdir()
    await program.kill()
    async with asyncio.timeout(30):
        assert await said.get() == f"worker ended with -9, starts again in 1 s; log: {log}"
        assert await said.get() == f"worker could not be started: {log}: Is a directory"
        assert "starts again in 2 s" in await said.get()
        assert not restarted.is_set()
        log.rmdir()
        await restarted.wait()
    assert program.child.is_running
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


def test_what_cannot_be_said_ends_nothing() -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails, too
    ConsoleProgress(Console(file=full)).say("worker ended with -9")
    with pytest.raises(OSError, match="No space left"):
        full.close()


@pytest.mark.unit
def test_an_error_without_words_gets_some() -> None:
    assert in_words(TimeoutError()) == "does not answer"
    assert in_words(BlockingIOError(11, "Resource temporarily unavailable")).startswith("Resource")
    assert in_words(IsADirectoryError(21, "Is a directory", "/logs/x.log")) == "/logs/x.log: Is a directory"
