"""Screens of my orders, cancelling, my videos and busy evenings, with made-up facts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.actions import Card
from domain.ids import video_id
from domain.library import Cancellation, OpenOrder, ShelfPage, ShelfVideo, VideoFacts
from domain.orders import Language, Template, VideoState
from domain.waiting import WaitReason
from texts import library_cards, order_cards

ORDER_ID: Final = "0123456789abcdef0123"
_NOW: Final = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
_WORDS: Final = "A mug for slow mornings, hand-made, with a very long story about the potter"

_OPEN: Final = VideoFacts(video_id(ORDER_ID, 1), 1, VideoState.OPEN)
_FACTS: Final = (
    _OPEN,
    replace(_OPEN, number=2, queued=True, place=1),
    replace(_OPEN, number=3, queued=True, place=17),
    replace(_OPEN, number=4, queued=True),
    replace(_OPEN, number=5, written=True),
    replace(_OPEN, number=6, bought=True),
    replace(_OPEN, number=7, state=VideoState.DELIVERING),
    *(replace(_OPEN, number=8, state=state) for state in VideoState if state.closed),
)
_ONE: Final = OpenOrder(ORDER_ID, Template.OWN, "", _NOW, _FACTS[1:2])
MANY: Final = OpenOrder(ORDER_ID, Template.UGC, _WORDS, _NOW - timedelta(minutes=21), _FACTS)
_SHELF: Final = tuple(
    ShelfVideo(video_id(ORDER_ID, number), Template.AD, _WORDS, _NOW - timedelta(days=30 * number))
    for number in range(1, 6)
)


def library_screens(language: Language) -> dict[str, Card]:
    part = Cancellation(ORDER_ID, ("v2", "v3"), going_on=1, credits_back=2)
    return {
        "My orders": library_cards.my_orders(language, [_ONE], _NOW),
        "My orders, several": library_cards.my_orders(language, [_ONE, MANY], _NOW),
        "My orders, none": library_cards.my_orders(language, [], _NOW),
        "Cancel?": library_cards.ask_cancel(language, part),
        "Cancelled, part of it": library_cards.cancelled(language, part, 7),
        "Cancelled, all of it": library_cards.cancelled(language, replace(part, going_on=0), 7),
        "Too late to cancel": library_cards.nothing_stopped(language, Cancellation(ORDER_ID, going_on=2)),
        "Cancelling what is over": library_cards.nothing_stopped(language, Cancellation(ORDER_ID)),
        "Not cancelled after all": library_cards.cancel_kept(language),
        "A stage: cancelled": order_cards.placeholder(language, 2, 5, "cancelled", ORDER_ID),
        "My videos": library_cards.my_videos(language, ShelfPage(_SHELF, 1, 3)),
        "My videos, none": library_cards.my_videos(language, ShelfPage((), 0, 1)),
        "Too busy": library_cards.not_now(language, WaitReason.BUSY),
        "Maintenance": library_cards.not_now(language, WaitReason.MAINTENANCE),
        "Free again": library_cards.free_again(language),
        "The video model is back": library_cards.model_is_back(language, ORDER_ID),
    }
