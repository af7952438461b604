"""Plays the stories on a whole system of their own, on free ports and in a folder that goes away."""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw

from local.programs import ROOT
from local.stack import Stack, StackPlan
from local.standins import Service
from tests.stories import book, shop_book  # noqa: F401 - whoever is imported puts its stories on the shelf
from tests.stories.seller import Seller
from tests.stories.shelf import BOOK, Played, Story
from tests.stories.world import ADMIN_ID, World

TIME_SCALE = 0.04
GENERATION_SECONDS = 2.5
KIE_KEYS = {"KIE_API_KEY_1": "kie-key-one", "KIE_API_KEY_2": "kie-key-two"}
ACCOUNTS = {"kie-key-one": "alpha", "kie-key-two": "beta"}


class LocalSystem:
    """The stack, as a story may hurt it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    @property
    def secrets(self) -> list[str]:
        """The bot's token and the keys, as the programs know them."""
        known = self._stack.environment
        return [known["BOT_TOKEN"], known["OPENAI_API_KEY"], *KIE_KEYS.values()]

    @property
    def folder(self) -> Path:
        return self._stack.folder.path

    @property
    def temporal_address(self) -> str:
        return self._stack.temporal.address

    async def kill_worker(self) -> None:
        await self._stack.workers[0].kill()

    async def start_worker(self) -> None:
        await self._stack.workers[0].start()

    async def kill_bot(self) -> None:
        await self._stack.bot.kill()

    async def start_bot(self) -> None:
        await self._stack.bot.start()

    async def kill_temporal(self) -> None:
        await self._stack.temporal.child.kill()

    async def start_temporal(self) -> None:
        await self._stack.temporal.start()

    async def admin(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "admin_main.py"),
            *arguments,
            env=self._stack.environment,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()


def plan_for(folder: Path, **environment: str) -> StackPlan:
    accounts = {f"{name}_ACCOUNT": ACCOUNTS[key] for name, key in KIE_KEYS.items()}
    keys = ",".join(f"{key}={account}" for key, account in ACCOUNTS.items())
    return StackPlan(
        folder=folder,
        environment={
            **KIE_KEYS,
            **accounts,
            "TIME_SCALE": str(TIME_SCALE),
            "WELCOME_CREDITS": "3",
            "ADMIN_TG_IDS": str(ADMIN_ID),
            **environment,
        },
        standin_options={
            Service.KIE: [
                "--keys", keys,
                "--generation-seconds", str(GENERATION_SECONDS),
                "--callback-retry-seconds", "0.5",
            ]
        },
        durable=False,
    )  # fmt: skip


def draw_product(path: Path) -> Path:
    """A mug, more or less."""
    image = Image.new("RGB", (900, 1200), "#e8e2d8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((300, 400, 600, 850), fill="#2f5d62")
    draw.arc((560, 480, 760, 760), 270, 90, fill="#2f5d62", width=40)
    draw.ellipse((300, 360, 600, 440), fill="#5e8b7e")
    image.save(path, quality=88)
    return path


@contextmanager
def throw_away_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nc-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


async def play_all(
    photo: Path | None = None,
    only: str = "",
    told: Callable[[Played], None] = lambda _: None,
    bots_behind_webhook: int = 0,
) -> list[Played]:
    """All stories in their phases; `told` hears of each as it ends. Without a webhook one bot polls."""
    with throw_away_folder() as folder:
        photo = photo or draw_product(folder / "product.jpg")
        plan = plan_for(folder / "data")
        if bots_behind_webhook:
            plan = replace(plan, webhook=True, bot_count=bots_behind_webhook)
        async with Stack(plan) as stack:
            return await play_on(stack, photo, only, told)


async def play_on(stack: Stack, photo: Path, only: str, told: Callable[[Played], None]) -> list[Played]:
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
    chosen = [story for story in BOOK if only.lower() in story.name.lower()]
    played: list[Played] = []
    for _, phase in groupby(sorted(chosen, key=lambda each: each.phase), key=lambda each: each.phase):
        played += await asyncio.gather(*(play(world, story, told) for story in phase))
    await world.close()
    return played


async def play(world: World, story: Story, told: Callable[[Played], None]) -> Played:
    """A story that breaks is a row of the table, not the end of the others."""
    played = Played(story)
    started = time.monotonic()
    try:
        played.seen = await story.play(world, story.marker)
    except Exception as error:  # noqa: BLE001 - it is shown; the stories beside it go on
        played.error = f"{type(error).__name__}: {error}"
    played.seconds = time.monotonic() - started
    told(played)
    return played
