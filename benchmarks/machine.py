"""What every benchmark says of the machine it ran on, and how it shows its numbers."""

import asyncio
import os
import platform
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from local.stack import Stack, StackPlan
from local.standins import Service
from tests.stories.player import LocalSystem, draw_product
from tests.stories.world import World

console = Console(width=110)


def facts() -> str:
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, load before {load:.1f}"
    )


@dataclass(frozen=True)
class Spread:
    """Of durations in seconds."""

    values: Sequence[float]

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    def cells(self) -> list[str]:
        shown = [statistics.median(self.values), self.percentile(95), self.percentile(99), max(self.values)]
        return [str(len(self.values)), *(f"{each:.3f}" for each in shown)]


def table_of(title: str, spreads: dict[str, Spread]) -> Table:
    table = Table("seconds", "n", "median", "p95", "p99", "most", title=title, title_justify="left")
    for name, spread in spreads.items():
        table.add_row(name, *spread.cells())
    return table


class BusyMeter:
    """How much of the machine was used meanwhile, by us and by others."""

    def __init__(self) -> None:
        psutil.cpu_percent()
        self._started = time.monotonic()

    def told(self) -> str:
        return f"{time.monotonic() - self._started:.0f} s at {psutil.cpu_percent():.0f} % of all cores"


@asynccontextmanager
async def world_on(plan: StackPlan, folder: Path) -> AsyncIterator[tuple[Stack, World]]:
    photo = await asyncio.to_thread(draw_product, folder / "product.jpg")
    async with Stack(plan) as stack:
        world = World(
            stack.chat_url,
            stack.standins[Service.KIE].url,
            stack.standins[Service.OPENAI].url,
            stack.database_url,
            LocalSystem(stack),
            photo,
        )
        try:
            yield stack, world
        finally:
            await world.close()
