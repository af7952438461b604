"""The one way an update is handled, by polling and by webhook, in one process or in several.

Updates of one chat go in order and one at a time, over all processes; chats go side by side. An update is
marked after success, and passed over when it comes again. Only an unreachable database leaves it unhandled.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from math import inf
from typing import Final

import structlog
from aiogram import Dispatcher
from aiogram.types import Update

from bot.middleware import DATABASE_AWAY
from bot.parts import BotParts
from bot.payments_checkout import answer_checkout
from domain import ids
from domain.actions import parse_callback_data
from store.database import DatabaseUnavailable
from store.updates import Claim
from telemetry import context
from telemetry.updates import handled

_log = structlog.get_logger()

ALLOWED_UPDATES: Final = (
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "pre_checkout_query",
)
"""What we ask Telegram for, and what we look at."""

_PATIENCE_SECONDS: Final = 20.0  # then whoever sent the update is asked to send it again
_NUMBER_MAX: Final = 2**63 - 1
_BUSY_PAUSE_SECONDS: Final = 0.02
_BUSY_PAUSE_SECONDS_MAX: Final = 0.5


class ChatBusy(Exception):
    """Another update of this chat is still being handled."""


class Lanes:
    """A lock per chat, first come, first served; forgotten when nobody stands in it."""

    def __init__(self) -> None:
        self._locks: dict[int, asyncio.Lock] = {}
        self._standing: dict[int, int] = {}

    @asynccontextmanager
    async def lane(self, chat_id: int, until: float = inf) -> AsyncIterator[None]:
        """Raise ChatBusy when it is not free by then, in the event loop's time."""
        lock = self._locks.setdefault(chat_id, asyncio.Lock())
        self._standing[chat_id] = self._standing.get(chat_id, 0) + 1
        try:
            await _acquire(lock, until)
            try:
                yield
            finally:
                lock.release()
        finally:
            self._standing[chat_id] -= 1
            if self._standing[chat_id] == 0:
                del self._standing[chat_id], self._locks[chat_id]


async def _acquire(lock: asyncio.Lock, until: float) -> None:
    try:
        async with asyncio.timeout_at(None if until == inf else until):
            await lock.acquire()
    except TimeoutError:
        raise ChatBusy from None


class Feeder:
    """Lanes keep the order in this process, leases in the database keep other processes out."""

    def __init__(
        self, parts: BotParts, dispatcher: Dispatcher, patience_seconds: float = _PATIENCE_SECONDS
    ) -> None:
        self._patience_seconds = patience_seconds
        self._parts = parts
        self._dispatcher = dispatcher
        self._lanes = Lanes()
        self._held: set[int] = set()

    async def feed(self, update: Update) -> None:
        """Return when the update is handled; raise DatabaseUnavailable or ChatBusy when it is not."""
        with handled(kind_of(update)):
            await self._feed(update)

    async def _feed(self, update: Update) -> None:
        if update.pre_checkout_query is not None:
            await answer_checkout(self._parts, update.pre_checkout_query)
            return
        until = asyncio.get_running_loop().time() + self._patience_seconds
        if _is_wanted(update):
            async with self._lanes.lane(chat_id_of(update), until):
                await self._handle(update, until)

    async def feed_until_handled(
        self, update: Update, pause_seconds: float, pause_seconds_max: float
    ) -> None:
        """The chat's later updates wait behind this one, so that their order holds."""
        with handled(kind_of(update)):
            await self._feed_until_handled(update, pause_seconds, pause_seconds_max)

    async def _feed_until_handled(
        self, update: Update, pause_seconds: float, pause_seconds_max: float
    ) -> None:
        if update.pre_checkout_query is not None:
            return await answer_checkout(self._parts, update.pre_checkout_query)
        async with self._lanes.lane(chat_id_of(update)):
            while _is_wanted(update):
                try:
                    return await self._handle(update)
                except DatabaseUnavailable:
                    await asyncio.sleep(pause_seconds)
                    pause_seconds = min(2 * pause_seconds, pause_seconds_max)
        return None

    @asynccontextmanager
    async def alone_with(self, chat_id: int) -> AsyncIterator[None]:
        """For what no update asked for: meanwhile nobody handles one of this chat."""
        async with self._lanes.lane(chat_id):
            while not await self._parts.updates.claim_chat(chat_id):  # noqa: ASYNC110 - a row's state
                await asyncio.sleep(_BUSY_PAUSE_SECONDS_MAX)
            self._held.add(chat_id)
            try:
                yield
            finally:
                await self._give_back(chat_id)

    async def renew_leases(self) -> None:
        """Of chats whose handler takes long."""
        if self._held:
            await self._parts.updates.renew(self._held)

    async def _handle(self, update: Update, until: float = inf) -> None:
        try:
            if await self._claim(update, until) is not Claim.HANDLED:
                await self._apply(update)
        except DATABASE_AWAY as error:
            raise DatabaseUnavailable(type(error).__name__) from error

    async def _claim(self, update: Update, until: float) -> Claim:
        pause_seconds, clock = _BUSY_PAUSE_SECONDS, asyncio.get_running_loop().time
        chat_id = chat_id_of(update)
        while (claim := await self._parts.updates.claim(update.update_id, chat_id)) is Claim.BUSY:
            if clock() > until:
                raise ChatBusy
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, _BUSY_PAUSE_SECONDS_MAX)
        return claim

    async def _apply(self, update: Update) -> None:
        chat_id = chat_id_of(update)
        self._held.add(chat_id)
        try:
            with context.about(update_id=update.update_id, **_subject_of(update)):
                await self._dispatcher.feed_update(self._parts.bot, update)
            await self._parts.updates.finish(update.update_id, chat_id)
            self._held.discard(chat_id)
        finally:
            await self._give_back(chat_id)

    async def _give_back(self, chat_id: int) -> None:
        """What was cut off is for whoever comes next, and he need not wait for the lease to end."""
        if chat_id in self._held:
            self._held.discard(chat_id)
            with suppress(*DATABASE_AWAY):
                await self._parts.updates.free(chat_id)


def _subject_of(update: Update) -> dict[str, str]:
    """The order or video whose button was pressed."""
    query = update.callback_query
    parsed = parse_callback_data(query.data or "") if query is not None else None
    return ids.subject_of_button(parsed[1]) if parsed is not None else {}


def _is_wanted(update: Update) -> bool:
    """A kind nobody asked for is acknowledged, and that is all; so is a number that no row could hold."""
    numbers = (update.update_id, chat_id_of(update), person_id_of(update))
    if not all(abs(number) <= _NUMBER_MAX for number in numbers):
        _log.error("update with impossible numbers")
        return False
    if any(getattr(update, kind) is not None for kind in ALLOWED_UPDATES):
        return True
    _log.info("update of a kind nobody asked for", update_id=update.update_id)
    return False


def kind_of(update: Update) -> str:
    return next((kind for kind in ALLOWED_UPDATES if getattr(update, kind) is not None), "other")


def person_id_of(update: Update) -> int:
    """0 for what nobody in particular sent."""
    event = update.callback_query or update.message or update.edited_message or update.my_chat_member
    return event.from_user.id if event is not None and event.from_user is not None else 0


def chat_id_of(update: Update) -> int:
    """0 for what belongs to no chat; a button's chat is its person's, private chats being the rule."""
    if update.callback_query is not None:
        return update.callback_query.from_user.id
    event = update.message or update.edited_message or update.my_chat_member
    return event.chat.id if event is not None else 0
