"""What the bot itself tells the administrators: each cause once an hour."""

from datetime import timedelta
from typing import Final

import structlog

from bot.parts import BotParts
from clients.telegram import TelegramError
from domain.actions import Card
from domain.orders import Language
from texts import say

_REPEATED_AFTER: Final = timedelta(hours=1)

_log = structlog.get_logger()


async def alert_admins(parts: BotParts, cause: str, key: str, **args: str | int) -> None:
    """`key` names the text. An alert that reached nobody is in the log."""
    if await parts.alerts.was_sent(cause, _REPEATED_AFTER):
        return
    _log.warning("admins are alerted", cause=cause)
    for admin in parts.shop.admins:
        known = await parts.users.find(admin)
        card = Card(say(known.language if known else Language.EN, key, **args))
        try:
            await parts.telegram.send_text(admin, card)
        except TelegramError as error:
            _log.warning("admin not alerted", cause=cause, error=str(error))
    await parts.alerts.mark_sent(cause)
