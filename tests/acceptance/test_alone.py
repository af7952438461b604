"""Every program by itself, with servers it has never met: only settings tell it where they are."""

import asyncio
import io
import re
import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest_asyncio
from PIL import Image

from local.postgres import PostgresServer
from local.processes import LOCALHOST, Child, beside_python, free_port, spawn
from local.programs import ROOT, STOP_TIMEOUT_SECONDS
from tests.acceptance.foreign_servers import Kie, OpenAi, Shown, Telegram, listening, mute_movie
from tests.run.programs import Ended, ended, surroundings

WELCOME_CREDITS = 4
PATIENCE_SECONDS = 150.0  # a busy machine imports for a minute
STYLES = ("UGC", "Ad", "Own prompt")
WORKER_ROLES = ("orders,prompts,telegram", "kie,kie-create,media")


@dataclass
class Shop:
    """What somebody has who read the README: addresses, settings, and the programs' output."""

    folder: Path
    telegram: Telegram
    kie: Kie
    openai: OpenAi
    settings: dict[str, str]
    children: dict[str, Child] = field(default_factory=dict)
    setups: list[Ended] = field(default_factory=list)
    people: "count[int]" = field(default_factory=lambda: count(501))
    kie_listens: bool = False
    later: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def listen_to_kie(self) -> None:
        """For good: no test takes it away again."""
        if self.kie_listens:
            return
        self.kie_listens = True
        port = int(self.settings["KIE_API_BASE"].rpartition(":")[2])
        await self.later.enter_async_context(listening(self.kie.app, port))

    async def run(self, name: str, *arguments: str, **settings: str) -> None:
        self.children[name] = await spawn(
            name,
            [sys.executable, *arguments],
            log_path=self.folder / f"{name}.log",
            env=surroundings({**self.settings, **settings}),
            cwd=str(ROOT),
        )

    async def stop(self, name: str) -> int:
        return await self.children.pop(name).stop(STOP_TIMEOUT_SECONDS)

    async def stop_all(self) -> None:
        await asyncio.gather(*(child.stop() for child in self.children.values()))

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    async def says(self, name: str, words: str, times: int = 1) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while self.said(name).count(words) < times:
            assert time.monotonic() < until, f"{name} never said {words!r}: {self.said(name)[-2000:]}"
            await asyncio.sleep(0.05)

    async def admin(self, *arguments: str) -> Ended:
        return await ended("admin_main.py", *arguments, settings=self.settings)


def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 800), "#2f5d62").save(out, "JPEG")
    return out.getvalue()


def address(port: int) -> str:
    return f"http://{LOCALHOST}:{port}"


def settings_for(
    folder: Path, ports: Mapping[str, int], token: str, postgres: PostgresServer
) -> dict[str, str]:
    return {
        "DATABASE_URL": postgres.program_url("shop"),
        "DATABASE_OWNER_URL": postgres.url("shop"),
        "BOT_TOKEN": token,
        "TELEGRAM_API_BASE": address(ports["telegram"]),
        "KIE_API_KEY": secrets.token_hex(16),
        "KIE_API_BASE": address(ports["kie"]),
        "KIE_UPLOAD_BASE": address(ports["kie"]),
        "OPENAI_API_KEY": "sk-anything",
        "OPENAI_BASE_URL": f"{address(ports['openai'])}/v1",
        "TEMPORAL_ADDRESS": f"{LOCALHOST}:{ports['temporal']}",
        "MEDIA_URL": (folder / "media").as_uri(),
        "WEB_PORT": "0",
        "WELCOME_CREDITS": str(WELCOME_CREDITS),
        "TIME_SCALE": "0.02",
    }


async def bare_temporal(folder: Path, port: int) -> Child:
    """As the Temporal documentation says; it knows none of our search attributes."""
    program = beside_python("temporal")
    assert program is not None
    command = [program, "server", "start-dev", "--headless", "--ip", LOCALHOST, "--port", str(port)]
    return await spawn("temporal", command, log_path=folder / "temporal.log")


async def start_in_an_odd_order(
    shop: Shop, postgres: PostgresServer, ports: Mapping[str, int], stack: AsyncExitStack
) -> None:
    """Everything before what it needs; nobody is started twice."""
    programs = ["bot", "worker-1", "worker-2"]
    await shop.run("bot", "bot_main.py")
    for number, roles in enumerate(WORKER_ROLES, start=1):
        await shop.run(f"worker-{number}", "worker_main.py", "--role", roles)
    await asyncio.gather(*(shop.says(name, f"PostgreSQL at {LOCALHOST}:") for name in programs))

    await postgres.start()
    stack.push_async_callback(postgres.stop)
    await postgres.create_database("shop")
    await asyncio.gather(*(shop.says(name, "run admin_main.py setup") for name in programs))

    await shop.run("setup", "admin_main.py", "setup")
    without_temporal = ["setup", *programs]
    await asyncio.gather(
        *(shop.says(name, f"Temporal at {LOCALHOST}:{ports['temporal']}") for name in without_temporal),
        shop.says("bot", f"Telegram at {address(ports['telegram'])}"),
    )
    temporal = await bare_temporal(shop.folder, ports["temporal"])
    stack.push_async_callback(temporal.stop)
    assert await asyncio.wait_for(shop.children.pop("setup").wait(), PATIENCE_SECONDS) == 0
    shop.setups.append(await shop.admin("setup"))
    await asyncio.gather(*(shop.says(name, "serving") for name in programs))


@pytest_asyncio.fixture(scope="module")
async def shop(run_folder: Path) -> AsyncIterator[Shop]:
    """KIE does not listen yet when this is ready: a test brings it."""
    folder = run_folder / "alone"
    ports = {name: free_port() for name in ("telegram", "kie", "openai", "temporal", "postgres")}
    token = f"{secrets.randbelow(10**9) + 10**9}:{secrets.token_hex(18)}"
    postgres = PostgresServer(folder / "postgres", port=ports["postgres"], durable=False)
    await postgres.start()  # it makes its password; then it is away again
    await postgres.stop()
    movie = await asyncio.to_thread(mute_movie, folder / "made.mp4")
    settings = settings_for(folder, ports, token, postgres)
    shop = Shop(folder, Telegram(token), Kie(address(ports["kie"]), movie), OpenAi(), settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(shop.stop_all)
        await start_in_an_odd_order(shop, postgres, ports, stack)
        await stack.enter_async_context(listening(shop.telegram.app, ports["telegram"]))
        await stack.enter_async_context(listening(shop.openai.app, ports["openai"]))
        stack.push_async_callback(shop.later.aclose)
        yield shop


async def offered_styles(shop: Shop, person: int) -> list[str]:
    shop.telegram.say(person, "/start")
    await shop.telegram.reads(person, "photo")
    shop.telegram.show_photo(person, photo(), 640, 800)
    asked = await shop.telegram.shows(
        person, lambda each: "Own prompt" in _labels(each), "the styles to choose from"
    )
    return [button["text"] for button in asked.buttons]


def _labels(message: Shown) -> str:
    return " ".join(button["text"] for button in message.buttons)


async def buy(shop: Shop, person: int, videos: int = 1) -> None:
    """From the number of videos on."""
    await shop.telegram.press(person, str(videos))
    await shop.telegram.press(person, "Generate")


async def balance_of(shop: Shop, person: int) -> int:
    """The number on the newest balance card."""
    known = max(shop.telegram.chats[person])
    shop.telegram.say(person, "/balance")
    card = await shop.telegram.shows(person, lambda each: each.id > known, "a balance card")
    number = re.search(r"\d+", card.text)
    assert number is not None, card.text
    return int(number.group())


async def test_setup_is_repeatable(shop: Shop) -> None:
    applied = shop.said("setup")
    assert "migrations applied" in applied
    assert "search attributes" in applied
    assert [(each.code, each.out) for each in shop.setups] == [
        (0, "database: up to date\nTemporal: up to date\n")
    ]


async def test_a_seller_gets_the_video_though_kie_comes_last(shop: Shop) -> None:
    seller, chat = next(shop.people), shop.telegram
    styles = await offered_styles(shop, seller)
    assert [name for name in STYLES if any(name in style for style in styles)] == list(STYLES)
    await chat.press(seller, "UGC")
    await chat.reads(seller, "What is the product")
    chat.say(seller, "A mug that keeps tea warm")
    await chat.reads(seller, "Any wishes")
    await chat.press(seller, "Skip")
    await buy(shop, seller)
    await chat.reads(seller, "Accepted")
    assert shop.kie.creates == []
    await shop.listen_to_kie()
    video = await chat.shows(seller, lambda each: each.kind == "video", "the video")
    assert "More of this product" in _labels(video)
    ready = await chat.reads(seller, "ready")
    assert ready.rang
    assert (len(shop.kie.creates), len(chat.videos), shop.openai.responses) == (1, 1, 1)
    assert await balance_of(shop, seller) == WELCOME_CREDITS - 1
    conveniences = {"setMyCommands", "deleteWebhook", "getStarTransactions"}
    conveniences |= {"getMyDescription", "getMyShortDescription"}
    assert chat.not_found <= conveniences, "none of them is ever a need"


async def test_credits_are_granted_to_who_is_there_and_to_who_is_not_yet(shop: Shop) -> None:
    seller, stranger = next(shop.people), next(shop.people)
    await offered_styles(shop, seller)
    known, unknown = await asyncio.gather(
        shop.admin("grant", "--yes", str(seller), "5", "a present"),
        shop.admin("grant", "--yes", str(stranger), "5", "a present"),
    )
    assert known.out == f"user {seller}: +5, now {WELCOME_CREDITS + 5} available and 0 reserved\n"
    assert unknown.out == f"user {stranger}: +5, now 5 available and 0 reserved\n"
    assert await balance_of(shop, seller) == WELCOME_CREDITS + 5
    await offered_styles(shop, stranger)
    assert await balance_of(shop, stranger) == WELCOME_CREDITS + 5


async def test_three_videos_that_nobody_described(shop: Shop) -> None:
    await shop.listen_to_kie()
    seller, chat = next(shop.people), shop.telegram
    await offered_styles(shop, seller)
    await chat.press(seller, "Ad")
    for question in ("What is the product", "Any wishes"):
        await chat.reads(seller, question)
        await chat.press(seller, "Skip")
    await buy(shop, seller, videos=3)
    await chat.shows(seller, lambda _: _count(chat, seller, "video") == 3, "three videos")
    await chat.reads(seller, "3 of 3 ready")
    assert _count(chat, seller, "photo") == 1  # of the templates; every placeholder became a video
    assert await balance_of(shop, seller) == WELCOME_CREDITS - 3


def _count(chat: Telegram, person: int, kind: str) -> int:
    return sum(each.kind == kind for each in chat.chats[person].values())


async def test_a_token_that_telegram_does_not_know_stops_the_bot(shop: Shop) -> None:
    end = await ended("bot_main.py", settings={**shop.settings, "BOT_TOKEN": "123:not-this-one"})
    assert end.code == 2
    assert (
        end.err.splitlines()[-1] == f"BOT_TOKEN: unknown to Telegram at {shop.settings['TELEGRAM_API_BASE']}"
    )


async def test_without_openai_there_is_only_the_own_prompt(shop: Shop) -> None:
    """The bot and one worker come back with another setting; the other worker never left."""
    codes = await asyncio.gather(shop.stop("bot"), shop.stop("worker-1"))
    assert set(codes) == {0}
    served = {name: shop.said(name).count("serving") for name in ("bot", "worker-1")}
    await shop.run("bot", "bot_main.py", OPENAI_API_KEY="")
    await shop.run("worker-1", "worker_main.py", "--role", WORKER_ROLES[0], OPENAI_API_KEY="")
    await asyncio.gather(*(shop.says(name, "serving", times + 1) for name, times in served.items()))
    await shop.listen_to_kie()
    seller, chat, asked_before = next(shop.people), shop.telegram, shop.openai.responses
    styles = await offered_styles(shop, seller)
    assert [name for name in STYLES if any(name in style for style in styles)] == ["Own prompt"]
    await chat.press(seller, "Own prompt")
    known = max(chat.chats[seller])
    await chat.shows(seller, lambda each: each.id > known, "the question for the prompt")
    chat.say(seller, "The mug turns slowly on a wooden table")
    await buy(shop, seller)
    await chat.shows(seller, lambda each: each.kind == "video", "the video")
    assert shop.openai.responses == asked_before
    assert shop.kie.creates[-1]["input"]["prompt"].startswith("The mug turns slowly")
