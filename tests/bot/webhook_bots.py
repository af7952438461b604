"""Bots that updates are posted to, each with a pool and a server of its own, behind one address."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
from aiogram import Dispatcher
from aiogram.types import Chat, Message, Update, User
from pydantic import SecretStr

from bot.app import build_feeder, run_loops
from bot.feeder import ALLOWED_UPDATES, Feeder
from bot.parts import BotParts
from bot.webhook import Inbox, WebhookKeeper
from clients.telegram_webhooks import Webhook, webhook_digest
from domain.clock import Clock, utc_now
from local.balancer import balancing
from local.processes import free_port
from store.database import Database
from store.updates import HandledUpdates
from tests.bot.chat import Starts, parts_of
from web.health import HealthRoutes, Readiness
from web.kie_callback import KieCallbackRoute
from web.server import WebServer, build_app
from web.telegram_webhook import TelegramWebhookRoute
from workflows.start import Delivered

SECRET = SecretStr("a-long-random-word")


@asynccontextmanager
async def parts_over(
    database_url: str, api_base: str, lease: timedelta = timedelta(seconds=30), clock: Clock = utc_now
) -> AsyncIterator[BotParts]:
    """With a pool of their own, as another process has."""
    database = await Database.connect(database_url)
    parts = parts_of(database, api_base, Starts())
    try:
        yield replace(parts, updates=HandledUpdates(database, clock, lease))
    finally:
        await asyncio.gather(parts.telegram.close(), parts.bot.session.close())
        await database.close()


@asynccontextmanager
async def webhook_bot(
    database_url: str, api_base: str, public_url: str, port: int = 0
) -> AsyncIterator[BotParts]:
    async with parts_over(database_url, api_base) as parts:
        feeder = build_feeder(parts)
        server = WebServer(app_of(Inbox(parts, feeder)), "127.0.0.1", port)
        server.listen()
        keeper = WebhookKeeper(parts, Webhook(public_url, SECRET, ALLOWED_UPDATES))
        tasks = [asyncio.create_task(each) for each in (server.run(), run_loops(parts, feeder), keeper.run())]
        try:
            yield parts
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def app_of(inbox: Inbox) -> Any:
    async def ready() -> Readiness:
        return Readiness()

    async def no_signal(_attempt_id: str, _kie_task_id: str) -> Delivered:
        return Delivered.NO_SUCH_WORKFLOW

    route = TelegramWebhookRoute(webhook_digest(SECRET), SECRET, inbox.receive)
    return build_app(KieCallbackRoute(SecretStr("s"), no_signal), HealthRoutes(ready), route)


@asynccontextmanager
async def two_bots(
    database_url: str, api_base: str, http: httpx.AsyncClient
) -> AsyncIterator[list[BotParts]]:
    ports = [free_port(), free_port()]
    async with AsyncExitStack() as stack:
        public_url = await stack.enter_async_context(
            balancing([f"http://127.0.0.1:{port}" for port in ports])
        )
        bots = [
            await stack.enter_async_context(webhook_bot(database_url, api_base, public_url, port))
            for port in ports
        ]
        await until_set(http, public_url)
        yield bots


async def until_set(http: httpx.AsyncClient, public_url: str) -> None:
    async def is_set() -> bool:
        return bool((await hook(http))["url"].startswith(public_url))

    await until(is_set)


async def until(check: Callable[[], Awaitable[object]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.02)


async def hook(http: httpx.AsyncClient) -> dict[str, Any]:
    return dict((await http.get("/control/webhook")).json())


def update_of(user_id: int, update_id: int, text: str = "/start") -> Update:
    person = User(id=user_id, is_bot=False, first_name="Ann", language_code="en")
    chat = Chat(id=user_id, type="private", first_name="Ann")
    message = Message(message_id=update_id, date=utc_now(), chat=chat, from_user=person, text=text)
    return Update(update_id=update_id, message=message)


@dataclass
class Book:
    """What handlers of several feeders did, and how many of one chat were at it together."""

    handler_seconds: float = 0.01
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    handled: list[tuple[int, int]] = field(default_factory=list)
    inside: dict[int, int] = field(default_factory=dict)
    most_inside: int = 0

    def feeder(self, parts: BotParts, patience_seconds: float = 20.0) -> Feeder:
        dispatcher = Dispatcher(disable_fsm=True)
        dispatcher.message.register(self._handle)
        return Feeder(parts, dispatcher, patience_seconds)

    async def someone_is_in(self, chat_id: int) -> bool:
        return bool(self.inside.get(chat_id))

    async def _handle(self, message: Message) -> None:
        chat_id = message.chat.id
        self.inside[chat_id] = self.inside.get(chat_id, 0) + 1
        self.most_inside = max(self.most_inside, self.inside[chat_id])
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.may_end.wait(), self.handler_seconds)
            self.handled.append((chat_id, message.message_id))
        finally:
            self.inside[chat_id] -= 1


async def calls(http: httpx.AsyncClient, method: str) -> list[dict[str, object]]:
    journal = (await http.get("/control/journal", params={"where": method})).json()["entries"]
    return [entry["fields"] for entry in journal]
