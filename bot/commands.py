"""Telegram's own menu of commands, in each language; administrators see theirs too."""

from collections.abc import Sequence
from typing import Final

import structlog
from aiogram.exceptions import TelegramAPIError
from aiogram.types import BotCommand, BotCommandScopeChat

from bot.middleware import DATABASE_AWAY
from bot.parts import BotParts
from domain.orders import Language
from texts import label

_log = structlog.get_logger()

COMMANDS: Final = (
    "start",
    "orders",
    "videos",
    "balance",
    "help",
    "cancel",
    "language",
    "terms",
    "privacy",
    "paysupport",
    "forget",
)
ADMIN_COMMANDS: Final = ("admin", "today", "user", "grant", "take", "refund", "accounts", "maintenance")

RUSSIAN_CODES: Final = ("ru", "be", "uk", "kk", "uz", "ky")
_CALL_SECONDS_MAX: Final = 10


async def register_commands(parts: BotParts) -> None:
    """A convenience: without it everything works, and one refusal stops no other."""
    await _register(parts, _in(Language.EN, COMMANDS))
    for code in RUSSIAN_CODES:
        await _register(parts, _in(Language.RU, COMMANDS), language_code=code)
    for admin in parts.shop.admins:
        await register_for_admin(parts, admin)


async def register_for_admin(parts: BotParts, admin: int) -> None:
    """In his own language. Telegram refuses until he has opened the chat once."""
    try:
        known = await parts.users.find(admin)
    except DATABASE_AWAY as error:
        _log.warning("commands of an admin were not registered", error=type(error).__name__)
        return
    commands = _in(known.language if known else Language.EN, (*COMMANDS, *ADMIN_COMMANDS))
    await _register(parts, commands, scope=BotCommandScopeChat(chat_id=admin))


def _in(language: Language, names: Sequence[str]) -> list[BotCommand]:
    return [BotCommand(command=name, description=label(language, f"command-{name}")) for name in names]


async def _register(
    parts: BotParts,
    commands: list[BotCommand],
    scope: BotCommandScopeChat | None = None,
    language_code: str | None = None,
) -> None:
    try:
        await parts.bot.set_my_commands(commands, scope, language_code, request_timeout=_CALL_SECONDS_MAX)
    except TelegramAPIError as error:
        _log.warning("commands were not registered", error=type(error).__name__)
