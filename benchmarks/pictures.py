"""What a picture costs whoever serves: `python -m benchmarks.pictures [times]`.

Bombs are to be refused within 500 ms while the serving process grows by at most 50 MB; the dearest legal
photos are to go through. Each is opened as the bot and the worker do it: in a process of its own.
"""

import asyncio
import resource
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

import psutil
from rich.table import Table

from benchmarks.machine import console, facts
from clients.confined import Confined
from clients.opened import PictureRefused
from tests.clients.bombs import dearest_photos, picture_bombs, usual_photos

GOAL_SECONDS, GOAL_GROWTH_MB = 0.5, 50.0
_LOOK_SECONDS = 0.005
_MB = 1_000_000


@dataclass
class Opened:
    outcome: str = ""
    seconds: list[float] = field(default_factory=list)
    processor_seconds: float = 0.0
    growth_mb: float = 0.0
    process_mb: float = 0.0


class Meter:
    """Memory of this process, and of those it started."""

    def __init__(self) -> None:
        self._own = psutil.Process()
        self._before = self._own.memory_info().rss
        self.growth_mb = 0.0
        self.process_mb = 0.0

    async def run(self) -> None:
        while True:
            self.growth_mb = max(self.growth_mb, (self._own.memory_info().rss - self._before) / _MB)
            for child in self._own.children():
                self.process_mb = max(self.process_mb, _memory(child) / _MB)
            await asyncio.sleep(_LOOK_SECONDS)


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


async def main(times: int = 3) -> int:
    console.print(facts())
    bombs = await measured(picture_bombs(), times)
    legal = await measured(chain(usual_photos(), dearest_photos()), times)
    console.print(table("bombs", bombs), table("legal", legal))
    worst, growth = worst_of(bombs)
    wrong = [name for name, each in bombs.items() if each.outcome == "taken"]
    wrong += [name for name, each in legal.items() if each.outcome != "taken"]
    console.print(
        f"bombs: at most {worst * 1000:.0f} ms (goal {GOAL_SECONDS * 1000:.0f}), "
        f"growth at most {growth:.0f} MB (goal {GOAL_GROWTH_MB:.0f}); wrong: {', '.join(wrong) or 'none'}"
    )
    return 1 if wrong or worst > GOAL_SECONDS or growth > GOAL_GROWTH_MB else 0


async def measured(pictures: Iterable[tuple[str, bytes]], times: int) -> dict[str, Opened]:
    found = {}
    for name, data in pictures:
        found[name] = Opened()
        for _ in range(times):
            await measure(data, found[name])
    return found


async def measure(data: bytes, opened: Opened) -> None:
    meter = Meter()
    looking = asyncio.create_task(meter.run())
    begun, computed = time.monotonic(), computed_seconds()
    try:
        await Confined().prepare_photo(data)
        opened.outcome = "taken"
    except PictureRefused as refused:
        opened.outcome = refused.reason.value
    opened.seconds.append(time.monotonic() - begun)
    looking.cancel()
    opened.processor_seconds = max(opened.processor_seconds, computed_seconds() - computed)
    opened.growth_mb = max(opened.growth_mb, meter.growth_mb)
    opened.process_mb = max(opened.process_mb, meter.process_mb)


def computed_seconds() -> float:
    """By all processes that ended: what a busy machine does not change."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def worst_of(opened: dict[str, Opened]) -> tuple[float, float]:
    return (
        max(max(each.seconds) for each in opened.values()),
        max(each.growth_mb for each in opened.values()),
    )


def table(title: str, opened: dict[str, Opened]) -> Table:
    shown = Table(
        "picture", "outcome", "ms, most", "computed, ms", "serving, MB", "its process, MB", title=title
    )
    for name, each in opened.items():
        times = (max(each.seconds) * 1000, each.processor_seconds * 1000)
        numbers = (*times, each.growth_mb, each.process_mb)
        shown.add_row(name, each.outcome, *(f"{number:.0f}" for number in numbers))
    return shown


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*(int(each) for each in sys.argv[1:]))))
