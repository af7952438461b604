"""The terms, accepted with the first order."""

from bot.turn import Turn
from texts import say


async def note(turn: Turn) -> str:
    """The line on the confirm card; empty for whoever has accepted these terms."""
    return "" if _accepted(turn) else say(turn.language, "terms-note")


async def accept(turn: Turn) -> None:
    """By an order, placed now or by a tap before this one."""
    if not _accepted(turn):
        await turn.parts.users.accept_terms(turn.user.id, turn.parts.shop.terms_version)


def _accepted(turn: Turn) -> bool:
    return turn.user.terms_version >= turn.parts.shop.terms_version
