"""Busy evenings and maintenance: what is said before an order, and what is not taken now."""

import math
from typing import Final

from bot.turn import Turn
from domain.admission import Outlook
from domain.orders import VIDEO_COUNTS
from domain.waiting import NOTED_WAIT_SECONDS, REFUSED_WAIT_SECONDS, WaitReason
from store.drafts import Draft
from store.switches import MAINTENANCE
from texts import library_cards

_MINUTE_SECONDS: Final = 60.0
_SPOKEN_MINUTES: Final = 5  # nobody knows it more exactly


async def note(turn: Turn, video_count: int) -> str:
    """The line on the confirm card; empty where there is nothing to say."""
    seconds = (await _outlook(turn)).expected_wait_seconds(video_count)
    if seconds <= NOTED_WAIT_SECONDS:
        return ""
    minutes = None if seconds > REFUSED_WAIT_SECONDS else _spoken_minutes(seconds)
    return library_cards.busy_note(turn.language, minutes)


async def noted_minutes(turn: Turn, video_count: int) -> int | None:
    """For an order that was taken; None where it is no longer than usual."""
    seconds = (await _outlook(turn)).expected_wait_seconds(video_count)
    return None if seconds <= NOTED_WAIT_SECONDS else _spoken_minutes(min(seconds, REFUSED_WAIT_SECONDS))


def _spoken_minutes(seconds: float) -> int:
    return math.ceil(seconds / _MINUTE_SECONDS / _SPOKEN_MINUTES) * _SPOKEN_MINUTES


async def kept_waiting(turn: Turn, draft_id: str) -> bool:
    """True: nothing can be ordered now. The draft is kept, and its user is told when it goes on.

    What this draft cannot buy in any case, for want of credits too, is left to Generate itself.
    """
    if not await _is_closed(turn):
        return False
    draft = await turn.parts.drafts.get(draft_id, turn.user.tg_user_id)
    if draft is None or not draft.buys or not await _is_paid_for(turn, draft):
        return False
    reason = await _why_not_now(turn, draft)
    if reason is None:
        return False
    await turn.parts.waiting_drafts.remember(turn.user.id, draft.id, reason)
    await turn.say(library_cards.not_now(turn.language, reason))
    return True


async def _is_closed(turn: Turn) -> bool:
    """Asked at every tap: one small query, and figures that are a moment old."""
    if await turn.parts.switches.is_on(MAINTENANCE):
        return True
    outlook = await _outlook(turn)
    return outlook.expected_wait_seconds(max(VIDEO_COUNTS)) > REFUSED_WAIT_SECONDS


async def _is_paid_for(turn: Turn, draft: Draft) -> bool:
    wallet = await turn.parts.ledger.balance(turn.user.tg_user_id)
    return draft.offer.video_count * draft.offer.price_credits <= wallet.available


async def _why_not_now(turn: Turn, draft: Draft) -> WaitReason | None:
    if await turn.parts.switches.is_on(MAINTENANCE):
        return WaitReason.MAINTENANCE
    seconds = (await _outlook(turn)).expected_wait_seconds(draft.offer.video_count)
    return WaitReason.BUSY if seconds > REFUSED_WAIT_SECONDS else None


async def _outlook(turn: Turn) -> Outlook:
    return await turn.parts.recent.get("outlook", turn.parts.admission.outlook)
