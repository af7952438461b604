"""The one way an update is handled, by polling and by webhook.

Updates of one chat go in order, chats side by side. An update is marked after success, and passed over
when it comes again. Only an unreachable database leaves it unhandled.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiogram import Dispatcher
from aiogram.types import Update

from bot.middleware import DATABASE_AWAY
from bot.parts import BotParts
from store.database import DatabaseUnavailable


class Lanes:
    """A lock per chat, first come, first served; forgotten when nobody stands in it."""

    def __init__(self) -> None:
        self._locks: dict[int, asyncio.Lock] = {}
        self._standing: dict[int, int] = {}

    @asynccontextmanager
    async def lane(self, chat_id: int) -> AsyncIterator[None]:
        lock = self._locks.setdefault(chat_id, asyncio.Lock())
        self._standing[chat_id] = self._standing.get(chat_id, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._standing[chat_id] -= 1
            if self._standing[chat_id] == 0:
                del self._standing[chat_id], self._locks[chat_id]


class Feeder:
    def __init__(self, parts: BotParts, dispatcher: Dispatcher) -> None:
        self._parts = parts
        self._dispatcher = dispatcher
        self.lanes = Lanes()

    async def feed(self, update: Update) -> None:
        """Return when the update is handled; raise DatabaseUnavailable when it is not."""
        async with self.lanes.lane(chat_id_of(update)):
            await self._handle(update)

    async def feed_until_handled(
        self, update: Update, pause_seconds: float, pause_seconds_max: float
    ) -> None:
        """The chat's later updates wait behind this one, so that their order holds."""
        async with self.lanes.lane(chat_id_of(update)):
            while True:
                try:
                    return await self._handle(update)
                except DatabaseUnavailable:
                    await asyncio.sleep(pause_seconds)
                    pause_seconds = min(2 * pause_seconds, pause_seconds_max)

    async def _handle(self, update: Update) -> None:
        try:
            if await self._parts.updates.was_handled(update.update_id):
                return
            await self._dispatcher.feed_update(self._parts.bot, update)
            await self._parts.updates.mark_handled(update.update_id)
        except DATABASE_AWAY as error:
            raise DatabaseUnavailable(type(error).__name__) from error


def chat_id_of(update: Update) -> int:
    """0 for what belongs to no chat; a button's chat is its person's, private chats being the rule."""
    if update.message is not None:
        return update.message.chat.id
    if update.callback_query is not None:
        return update.callback_query.from_user.id
    if update.my_chat_member is not None:
        return update.my_chat_member.chat.id
    return 0
