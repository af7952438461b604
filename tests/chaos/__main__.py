"""`make chaos`: break everything for a while, heal, and see whether every promise was kept."""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from local.processes import ChildFailed
from tests.chaos.player import play
from tests.chaos.table import tables_of
from tests.chaos.tally import Tally

MINUTES: Final = 3.0
EXIT_INTERRUPTED: Final = 130
_SEEDS: Final = 10_000

console = Console(width=None if sys.stdout.isatty() else 160)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="the same plan of faults once more")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long things are broken")
    parser.add_argument("--report", type=Path, help="a file to which one line of JSON is added")
    parser.add_argument("--keep", action="store_true", help="logs and rows stay, also when all is right")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.randrange(_SEEDS)  # noqa: S311 - any will do
    if given.minutes <= 0:
        parser.error("MINUTES: more than 0, for example MINUTES=3")
    console.print(f"seed {seed}, {given.minutes:g} minutes")
    try:
        tally, folder = asyncio.run(
            _until_interrupted(play(seed, given.minutes, console.print, keep=given.keep))
        )
    except ChildFailed as failed:
        console.print(f"[red]the system did not start:[/] {failed}")
        return 1
    except asyncio.CancelledError:
        console.print("interrupted; nothing is left behind")
        return EXIT_INTERRUPTED
    if given.report:
        _append(given.report, tally)
    return _tell(tally, folder)


async def _until_interrupted(playing: Coroutine[Any, Any, tuple[Tally, Path]]) -> tuple[Tally, Path]:
    """Ctrl-C and SIGTERM end it in order: what was started is stopped, the folder removed."""
    task = asyncio.create_task(playing)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, task.cancel)
    return await task


def _append(path: Path, tally: Tally) -> None:
    with path.open("a") as report:
        report.write(json.dumps(tally.line()) + "\n")


def _tell(tally: Tally, folder: Path) -> int:
    for table in tables_of(tally):
        console.print(table)
    if folder.exists():
        _tell_where(tally, folder)
    return 0 if tally.is_right else 1


def _tell_where(tally: Tally, folder: Path) -> None:
    console.print(f"Everything is kept in {folder}: logs in data/logs, the stand-ins' journals in records.")
    console.print(f"To look at rows and histories: python local_main.py --data {folder / 'data'}")
    console.print(f"The same plan again: make chaos SEED={tally.seed} MINUTES={tally.minutes:g}")


if __name__ == "__main__":
    sys.exit(main())
