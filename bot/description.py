"""What Telegram shows of the bot before Start, and on its profile: in each language."""

from collections.abc import Awaitable
from typing import Final

import structlog
from aiogram.exceptions import TelegramAPIError

from bot.commands import RUSSIAN_CODES
from bot.parts import BotParts
from domain.orders import Language
from texts import label

_log = structlog.get_logger()

_CALL_SECONDS_MAX: Final = 10


async def describe_bot(parts: BotParts) -> None:
    """A convenience, as the commands are. Telegram takes few changes: only what differs is set."""
    languages = {None: Language.EN} | dict.fromkeys(RUSSIAN_CODES, Language.RU)
    for code, language in languages.items():
        await _or_log(_describe(parts, code, label(language, "bot-description")))
        await _or_log(_describe_shortly(parts, code, label(language, "bot-short-description")))


async def _describe(parts: BotParts, code: str | None, wanted: str) -> None:
    told = await parts.bot.get_my_description(code, request_timeout=_CALL_SECONDS_MAX)
    if told.description != wanted:
        await parts.bot.set_my_description(wanted, code, request_timeout=_CALL_SECONDS_MAX)


async def _describe_shortly(parts: BotParts, code: str | None, wanted: str) -> None:
    told = await parts.bot.get_my_short_description(code, request_timeout=_CALL_SECONDS_MAX)
    if told.short_description != wanted:
        await parts.bot.set_my_short_description(wanted, code, request_timeout=_CALL_SECONDS_MAX)


async def _or_log(call: Awaitable[None]) -> None:
    """One refusal stops no other."""
    try:
        await call
    except TelegramAPIError as error:
        _log.warning("the bot was not described", error=type(error).__name__)
