"""Groups and channels: one sentence that says where to find the bot, and it leaves."""

from collections.abc import Awaitable
from typing import Any, Final

import structlog
from aiogram import BaseMiddleware
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.exceptions import TelegramAPIError
from aiogram.types import Chat, ChatMemberUpdated, TelegramObject, Update, User

from bot.middleware import Handler
from bot.parts import BotParts
from clients.telegram import TelegramError
from domain.orders import language_of
from texts import limit_cards

_log = structlog.get_logger()

_GROUPS: Final = (ChatType.GROUP, ChatType.SUPERGROUP)
_INSIDE: Final = (ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.RESTRICTED)


class PrivateChatsOnly(BaseMiddleware):
    """Nobody is registered elsewhere, and nothing else is answered there."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        chat: Chat | None = data.get("event_chat")
        sender: User | None = data.get("event_from_user")
        if sender is None or not isinstance(event, Update):
            return None
        if chat is None or chat.type == ChatType.PRIVATE:
            return await handler(event, data)
        if chat.type in _GROUPS:
            await self._meet_group(event, chat, sender)
        return None

    async def _meet_group(self, update: Update, chat: Chat, sender: User) -> None:
        """An error of Telegram's (no right to write, not there any more) stops nothing."""
        try:
            username = (await self._parts.bot.me()).username or ""
        except TelegramAPIError as error:
            _log.warning("group is left without a word", error=type(error).__name__)
            username = ""
        if not (_is_added(update.my_chat_member) or _is_command(update, username)):
            return
        if username:
            card = limit_cards.group_goodbye(language_of(None, sender.language_code), username)
            await self._try("sendMessage", self._parts.telegram.send_text(chat.id, card))
        await self._try("leaveChat", self._parts.telegram.call("leaveChat", {"chat_id": chat.id}))

    async def _try(self, what: str, call: Awaitable[object]) -> None:
        try:
            await call
        except TelegramError as error:
            _log.info("group did not take it", method=what, error=str(error))


def _is_added(change: ChatMemberUpdated | None) -> bool:
    if change is None:
        return False
    return change.old_chat_member.status not in _INSIDE and change.new_chat_member.status in _INSIDE


def _is_command(update: Update, username: str) -> bool:
    """One for another bot names that bot."""
    text = (update.message.text if update.message else None) or ""
    if not text.startswith("/"):
        return False
    _, _, named = text.split(maxsplit=1)[0].partition("@")
    return named.lower() in {"", username.lower()}
