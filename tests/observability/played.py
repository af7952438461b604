"""A whole system that is measured: stories of every ending are played on it while Prometheus looks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from local.programs import Program
from local.stack import Stack
from local.standins import Service
from tests.observability.servers import NodeExporter, PostgresExporter, Prometheus, Server, until
from tests.stories.player import LocalSystem, draw_product, plan_for, play
from tests.stories.seller import Seller
from tests.stories.shelf import BOOK, Played, Story
from tests.stories.world import ADMIN_ID, World

STORIES: Final = (
    "one video",
    "five videos arriving one by one",
    "more of this product",
    "a forbidden photo",
    "KIE fails three times, twice over",
    "a paused video model",
    "a create answered by silence",
    "sending refused twice",
    "the user blocks the bot and comes back",
    "cancelled before anything is bought",
    "topped up with Stars, the same card is back",
    "a payment given back",
)
_AT_ONCE: Final = 4
_ENDS_SECONDS: Final = 150
_SETTLES_SECONDS: Final = 20  # the gauges are looked at again, and Prometheus has seen them


@dataclass(frozen=True)
class Measured:
    stack: Stack
    prometheus: Prometheus
    played: tuple[Played, ...]


@asynccontextmanager
async def measured_system(folder: Path) -> AsyncIterator[Measured]:
    plan = replace(plan_for(folder / "data"), metrics=True)
    async with AsyncExitStack() as servers:
        stack = await servers.enter_async_context(Stack(plan))
        postgres = PostgresExporter(folder / "exporter", stack.owner_database_url)
        node = NodeExporter(folder / "node")
        backup = _backup(stack, folder / "backup")
        prometheus = Prometheus(folder / "prometheus", _targets(stack, postgres, node))
        for server in (backup, postgres, node, prometheus):
            servers.push_async_callback(server.stop)
            await server.start()
        played = await _play(stack, draw_product(folder / "product.jpg"))
        await until(lambda: _all_ended(prometheus), "every video ends", _ENDS_SECONDS)
        await until(lambda: _restore_tested(prometheus), "a backup is restored for a test", _ENDS_SECONDS)
        await asyncio.sleep(_SETTLES_SECONDS)
        yield Measured(stack, prometheus, tuple(played))


def _backup(stack: Stack, folder: Path) -> Program:
    settings = {
        "BACKUP_URL": f"file://{folder}/kept",
        "BACKUP_FOLDER": str(folder / "work"),
        "BACKUP_DATABASE_URL": stack.owner_database_url,
    }
    return Program(
        "backup", ["backup_main.py"], folder=stack.folder.path, environment={**stack.environment, **settings}
    )


def _targets(stack: Stack, postgres: Server, node: Server) -> dict[str, list[str]]:
    return {
        "bot": [_address(bot.metrics_url or "") for bot in stack.bots],
        "worker": [_address(worker.metrics_url or "") for worker in stack.workers],
        "temporal": [_address(stack.temporal.metrics_url)],
        "postgres": [_address(postgres.url)],
        "node": [_address(node.url)],
    }


def _address(url: str) -> str:
    return urlsplit(url).netloc


async def _play(stack: Stack, photo: Path) -> list[Played]:
    world = World(
        stack.chat_url,
        stack.standins[Service.KIE].url,
        stack.standins[Service.OPENAI].url,
        stack.database_url,
        LocalSystem(stack),
        photo,
    )
    await world.telegram.post("/control/users", json={"id": ADMIN_ID, "first_name": "Admin"})
    await Seller(world.telegram, ADMIN_ID, "Admin").start()
    chosen = [story for story in BOOK if story.name in STORIES]
    assert len(chosen) == len(STORIES)
    places = asyncio.Semaphore(_AT_ONCE)

    async def play_in_turn(story: Story) -> Played:
        async with places:
            return await play(world, story, lambda _: None)

    played = await asyncio.gather(*map(play_in_turn, chosen))
    await world.close()
    return list(played)


async def _all_ended(prometheus: Prometheus) -> bool:
    found = await prometheus.query("sum(max by (stage) (neurocards_open_videos)) == 0")
    return bool(found)


async def _restore_tested(prometheus: Prometheus) -> bool:
    return bool(await prometheus.query("neurocards_restore_tested_timestamp_seconds"))
