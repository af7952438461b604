"""A person in the Telegram stand-in, and the bot he talks to."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import httpx
from PIL import Image, ImageDraw
from pydantic import SecretStr

from bot.app import build_feeder, run_loops
from bot.feeder import Feeder
from bot.parts import BotParts
from bot.polling import Poller
from bot.recent import Recent
from clients.fingerprints import Fingerprints
from clients.stars import StarsPayments
from clients.telegram import TelegramClient
from clients.telegram_session import aiogram_bot
from domain.clock import utc_now
from domain.keys import KeyRef
from domain.payments import Package
from domain.policy import OrderPolicy
from domain.shop import ShopRules
from store.albums import Albums
from store.audit import AuditLog
from store.chores import Chores
from store.conversations import Conversations
from store.database import Database
from store.drafts import Drafts
from store.forget import Forgetting
from store.library import Library
from store.limits import RateLimits
from store.orders import Orders
from store.payments import Payments
from store.restores import Restores
from store.shown_files import ShownFiles
from store.statistics import Statistics
from store.stores import build_stores
from store.switches import Switches
from store.updates import HandledUpdates
from store.users import Users
from store.videos import Videos
from store.waiting_drafts import WaitingDrafts
from workflows.start import TemporalUnavailable

TOKEN = SecretStr("1234567:" + "t" * 35)
SUPPORT = "@help"
ADMIN_ID = 900
KIE_KEYS = (KeyRef("key-one", "alpha"), KeyRef("key-two", "beta"))
VIDEO_MODELS = ("kling-2.6/image-to-video", "bytedance/seedance-1.5-pro")
SHOP = ShopRules(
    packages=(Package("5c150s", 5, 150), Package("20c500s", 20, 500)),
    admins=(ADMIN_ID,),
    video_models=VIDEO_MODELS,
    messages_per_second=50.0,
)
_SETTLED_SECONDS_MAX = 60.0  # a bound, not a promise: no test proves by it how soon the bot answers


def picture(width: int = 400, height: int = 600, kind: str = "JPEG", color: str = "teal") -> bytes:
    target = io.BytesIO()
    image = Image.new("RGB", (width, height), color)
    ImageDraw.Draw(image).rectangle((20, 20, width - 20, height - 20), outline="black", width=2)
    image.save(target, kind)
    return target.getvalue()


@dataclass
class Starts:
    """Where Temporal would be: it can be away, and remembers what was started."""

    away: bool = False
    started: list[str] = field(default_factory=list)
    resent: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    async def start_order(self, order_id: str) -> None:
        """The sweeper may start what a slow tap is still to mark: one order is one workflow, here too."""
        self._check()
        if order_id not in self.started:
            self.started.append(order_id)

    async def resend(self, video_id: str) -> None:
        self._check()
        self.resent.append(video_id)

    async def videos_cancelled(self, order_id: str, video_ids: Sequence[str]) -> None:
        self._check()
        assert all(video_id.startswith(order_id) for video_id in video_ids)
        self.cancelled.extend(video_ids)

    def _check(self) -> None:
        if self.away:
            raise TemporalUnavailable("away")


def parts_of(database: Database, api_base: str, starts: Starts) -> BotParts:
    stores = build_stores(database, utc_now, OrderPolicy(), KIE_KEYS, VIDEO_MODELS)
    ledger = stores.ledger
    telegram = TelegramClient(TOKEN, api_base)
    return BotParts(
        bot=aiogram_bot(TOKEN, api_base),
        telegram=telegram,
        users=Users(database, ledger, utc_now, welcome_credits=3),
        ledger=ledger,
        drafts=Drafts(database, utc_now),
        orders=Orders(database, ledger, utc_now, timedelta(hours=1)),
        videos=Videos(database, ledger, utc_now),
        conversations=Conversations(database, utc_now),
        updates=HandledUpdates(database, utc_now),
        albums=Albums(database, utc_now),
        admission=stores.admission,
        accounts=stores.accounts,
        alerts=stores.alerts,
        payments=Payments(database, ledger, utc_now),
        chores=Chores(database),
        restores=Restores(database, utc_now),
        limits=RateLimits(database, utc_now),
        switches=Switches(database, utc_now),
        audit=AuditLog(database, utc_now),
        statistics=Statistics(database, utc_now),
        waiting_drafts=WaitingDrafts(database, utc_now),
        library=Library(database, utc_now),
        shown_files=ShownFiles(database),
        forgetting=Forgetting(database, ledger, utc_now),
        fingerprints=Fingerprints(TOKEN),
        starter=starts,
        provider=StarsPayments(telegram, TOKEN),
        clock=utc_now,
        support_contact=SUPPORT,
        shop=SHOP,
        time_scale=0.3,
        recent=Recent(seconds=0.0),
    )


@dataclass
class RunningBot:
    parts: BotParts
    feeder: Feeder
    starts: Starts
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    def of(cls, parts: BotParts, starts: Starts) -> Self:
        return cls(parts, build_feeder(parts), starts)

    def start(self) -> None:
        poller = Poller(self.parts, self.feeder)
        self._tasks = [
            asyncio.create_task(poller.run()),
            asyncio.create_task(run_loops(self.parts, self.feeder)),
        ]

    async def resent(self) -> list[str]:
        """Waited for: what a tap began goes on behind its answer."""
        async with asyncio.timeout(_SETTLED_SECONDS_MAX):
            while not self.starts.resent:  # noqa: ASYNC110 - the bot fills it
                await asyncio.sleep(0.01)
        return self.starts.resent

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """What is sent meanwhile arrives together, however slowly: a quiet album counts as complete."""
        await self.stop()
        yield
        self.start()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        await self.stop()
        await asyncio.gather(self.parts.telegram.close(), self.parts.bot.session.close())


@asynccontextmanager
async def running_bot(
    database: Database, api_base: str, *, offers_templates: bool = True
) -> AsyncIterator[RunningBot]:
    starts = Starts()
    parts = replace(parts_of(database, api_base, starts), offers_templates=offers_templates)
    bot = RunningBot.of(parts, starts)
    bot.start()
    try:
        yield bot
    finally:
        await bot.close()


@dataclass
class Person:
    """What he does, and what the bot showed him since."""

    http: httpx.AsyncClient
    id: int
    _seen: int = 0

    @classmethod
    async def join(cls, http: httpx.AsyncClient, number: int, language: str = "en") -> Self:
        user = {"id": number, "first_name": "Ann", "language_code": language}
        (await http.post("/control/users", json=user)).raise_for_status()
        return cls(http, number)

    async def do(self, deed: str, **fields: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/control/users/{self.id}/{deed}", json=fields)
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def text(self, words: str) -> list[dict[str, Any]]:
        await self.do("text", text=words)
        return await self.answers()

    async def press(self, label: str, **which: Any) -> list[dict[str, Any]]:
        await self.do("press", label=label, **which)
        return await self.answers()

    async def press_data(self, data: str) -> list[dict[str, Any]]:
        """A button that an old screen still showed."""
        shown = await self.messages()
        own = [message for message in shown if message["from_bot"]]
        await self.do("press", message_id=own[-1]["message_id"], callback_data=data, stale=True)
        return await self.answers()

    async def photo(self, content: bytes | None = None, **fields: str) -> list[dict[str, Any]]:
        await self._upload("photo", content or picture(), "photo.jpg", "image/jpeg", **fields)
        return await self.answers()

    async def document(
        self, content: bytes, name: str = "p.png", mime: str = "image/png"
    ) -> list[dict[str, Any]]:
        await self._upload("document", content, name, mime)
        return await self.answers()

    async def _upload(self, deed: str, content: bytes, name: str, mime: str, **fields: str) -> None:
        answer = await self.http.post(
            f"/control/users/{self.id}/{deed}", files={deed: (name, content, mime)}, data=fields
        )
        assert answer.is_success, answer.text

    async def album(self, folder: Path, count: int = 3, caption: str = "") -> None:
        paths = []
        for number in range(count):
            path = folder / f"{number}.jpg"
            path.write_bytes(picture(color=("teal", "red", "blue")[number % 3]))
            paths.append(str(path))
        await self.do("album", paths=paths, caption=caption)

    async def edit(self, message_id: int, words: str) -> list[dict[str, Any]]:
        """He edits a message of his own."""
        await self.do("edit", message_id=message_id, text=words)
        return await self.answers()

    async def own(self) -> list[dict[str, Any]]:
        return [message for message in await self.messages() if not message["from_bot"]]

    async def settled(self) -> None:
        """Everything that was sent to the bot is handled: the offset has moved over it."""
        async with asyncio.timeout(_SETTLED_SECONDS_MAX):
            while (await self.http.get("/control/updates")).json()["pending"]:  # noqa: ASYNC110 - a server's state
                await asyncio.sleep(0.01)

    async def messages(self) -> list[dict[str, Any]]:
        answer = await self.http.get(f"/control/users/{self.id}/messages")
        return list(answer.json()["messages"])

    async def answers(self) -> list[dict[str, Any]]:
        """What the bot sent since the last look."""
        await self.settled()
        new = await self._new()
        self._seen = max([self._seen, *(message["message_id"] for message in new)])
        return new

    async def _new(self) -> list[dict[str, Any]]:
        return [
            message
            for message in await self.messages()
            if message["from_bot"] and message["message_id"] > self._seen
        ]

    async def until(self, words: str) -> dict[str, Any]:
        """The first new message of the bot that says this; later ones stay new."""
        async with asyncio.timeout(_SETTLED_SECONDS_MAX):
            while True:
                for message in await self._new():
                    if words in message["text"]:
                        self._seen = message["message_id"]
                        return message
                await asyncio.sleep(0.02)

    async def to_step(self, step: str) -> list[dict[str, Any]]:
        """Walk the dialog to a step, and answer with what it shows."""
        shown: list[dict[str, Any]] = []
        for action in _WAYS[step]:
            kind, _, argument = action.partition(" ")
            if kind == "photo":
                shown = await self.photo()
            elif kind == "press":
                shown = await self.press(argument)
            else:
                shown = await self.text(argument)
        return shown


_WAYS: dict[str, tuple[str, ...]] = {
    "idle": ("text /start",),
    "photo": ("text /start", "press New order"),
    "template": ("photo",),
    "product_text": ("photo", "press UGC"),
    "wishes": ("photo", "press UGC", "text A blue mug"),
    "own_prompt": ("photo", "press Own prompt"),
    "count": ("photo", "press UGC", "press Skip", "press Skip"),
    "confirm": ("photo", "press UGC", "press Skip", "press Skip", "press 1"),
}


def labels(message: dict[str, Any]) -> list[str]:
    return [button["text"] for row in message["buttons"] for button in row]


def button_data(message: dict[str, Any], label: str) -> str:
    found = [
        button["callback_data"]
        for row in message["buttons"]
        for button in row
        if label.casefold() in button["text"].casefold()
    ]
    return str(found[0])
