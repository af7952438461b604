"""One update of one person: who, where, and how to answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog
from aiogram.exceptions import TelegramAPIError
from aiogram.fsm.storage.base import StorageKey

from bot.dialog import Dialog
from bot.parts import BotParts
from clients.telegram import (
    SentMessage,
    TelegramError,
    TelegramNotSent,
    TelegramRateLimited,
    TelegramRefused,
    TelegramUnknown,
)
from domain.actions import Card
from domain.orders import Language
from store.users import User
from telemetry import tracing

_log = structlog.get_logger()

_TRIES_MAX: Final = 3
_PAUSE_SECONDS: Final = 0.5
_RETRY_AFTER_SECONDS_MAX: Final = 30.0
_ACKNOWLEDGE_SECONDS_MAX: Final = 5
_EDIT_SECONDS_MAX: Final = 4.0

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Turn:
    parts: BotParts
    user: User
    dialog: Dialog

    @property
    def chat_id(self) -> int:
        """Private chats only: the chat is the person."""
        return self.user.tg_user_id

    @property
    def language(self) -> Language:
        return self.user.language

    async def say(self, card: Card) -> SentMessage:
        return await patiently(lambda: self.parts.telegram.send_text(self.chat_id, card))

    async def show(self, photo: str | bytes, card: Card) -> SentMessage:
        return await patiently(lambda: self.parts.telegram.send_photo(self.chat_id, photo, card))

    async def show_in_place(self, message_id: int, card: Card) -> None:
        """A page that turns; a new message where Telegram no longer edits that one."""
        try:
            await patiently(lambda: self.parts.telegram.edit_text(self.chat_id, message_id, card))
        except TelegramRefused:
            await self.say(card)

    async def accept(self, message_id: int, card: Card) -> None:
        """The confirm card becomes the first placeholder, or the card is said: the tap is always answered.

        Once and soon: a late edit would come beside what the workflow makes of the same message.
        """
        try:
            async with asyncio.timeout(_EDIT_SECONDS_MAX):
                await self.parts.telegram.edit_caption(self.chat_id, message_id, card)
        except TelegramRefused:
            await self.say(card)
        except (TelegramError, TimeoutError) as error:
            _log.info("card was not edited", error=type(error).__name__)

    async def acknowledge(self, callback_id: str, text: str | None = None) -> None:
        await acknowledge(self.parts, callback_id, text)


async def acknowledge(parts: BotParts, callback_id: str, text: str | None = None) -> None:
    """Stop the button's spinner. It fails for old taps, and that stops nothing."""
    try:
        with tracing.span("Telegram answerCallbackQuery"):
            await parts.bot.answer_callback_query(callback_id, text, request_timeout=_ACKNOWLEDGE_SECONDS_MAX)
    except TelegramAPIError as error:
        _log.info("callback query was not answered", error=type(error).__name__)


async def patiently(call: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """A question seen twice is better than one never seen: unlike a video, it may be repeated."""
    for tried in range(1, _TRIES_MAX):
        try:
            return await call()
        except TelegramRateLimited as limited:
            if limited.retry_after_seconds > _RETRY_AFTER_SECONDS_MAX:
                raise
            await asyncio.sleep(limited.retry_after_seconds)
        except (TelegramNotSent, TelegramUnknown):
            await asyncio.sleep(_PAUSE_SECONDS * tried)
    return await call()


async def begin_turn(parts: BotParts, user: User, update_id: int = 0) -> Turn:
    """`update_id` 0: not an update, so it is never taken for a repeated one."""
    key = StorageKey(bot_id=parts.bot.id, chat_id=user.tg_user_id, user_id=user.tg_user_id)
    dialog = Dialog(parts.conversations, key, update_id)
    await dialog.load()
    return Turn(parts, user, dialog)
