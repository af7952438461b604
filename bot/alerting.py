"""What the bot itself tells the administrators, and what was passed over because it came too often."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from bot.parts import BotParts
from clients.telegram import TelegramError
from domain import ids
from domain.actions import Card
from domain.orders import Language
from store.alerts import AGAIN_IN
from texts import alert_cards

PASSED_OVER_SECONDS: Final = 60.0

_QUIET: Final = timedelta(hours=1)
_PAUSE: Final = timedelta(minutes=1)

_log = structlog.get_logger()


async def alert_admins(parts: BotParts, cause: str, key: str, **args: str | int) -> None:
    """`key` names the text. The same cause once an hour; what reached nobody is told later."""
    passed_over = await parts.alerts.claim(cause, _QUIET, ids.new_nonce())
    if passed_over is None:
        return
    _log.warning("admins are alerted", cause=cause, passed_over=passed_over)
    if await _tell_admins(parts, lambda language: alert_cards.notice(language, key, passed_over, **args)):
        await parts.alerts.sent(cause)
    else:
        await parts.alerts.not_sent({cause: passed_over + 1}, AGAIN_IN)


async def tell_passed_over(parts: BotParts) -> None:
    """What no later alert mentioned. One bot of many takes it."""
    causes = await parts.alerts.take_suppressed(_PAUSE)
    if causes:
        _log.warning("alerts were passed over", causes=dict(causes))
        if not await _tell_admins(parts, lambda language: alert_cards.passed_over(language, causes)):
            await parts.alerts.not_sent(causes, AGAIN_IN)


async def _tell_admins(parts: BotParts, card: Callable[[Language], Card]) -> bool:
    """Whether anybody has it. Where there are no administrators, the log is who is told."""
    told = not parts.shop.admins
    for admin in parts.shop.admins:
        known = await parts.users.find(admin)
        try:
            await parts.telegram.send_text(admin, card(known.language if known else Language.EN))
        except TelegramError as error:
            _log.warning("admin not alerted", error=str(error))
        else:
            told = True
    return told
