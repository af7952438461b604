"""Cards of what is the user's own, open orders and videos; of cancelling, and of busy evenings."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.actions import Action, Button, Card
from domain.library import Cancellation, OpenOrder, ShelfPage, ShelfVideo, Standing, VideoFacts
from domain.orders import Language
from domain.waiting import WaitReason
from texts import label, say
from texts.cards import counted_credits, counted_videos, menu_row, more_row, short_date, shortened
from texts.order_cards import cancel_button

ORDERS_SHOWN_MAX: Final = 10
CONFIRMED: Final = "yes"
KEPT: Final = "no"
REFRESH: Final = "again"
_WORDS_UNITS_MAX: Final = 60
_BUTTON_UNITS_MAX: Final = 28
_MINUTE: Final = timedelta(minutes=1)


# -- my orders ------------------------------------------------------------------------------------


def my_orders(language: Language, orders: Sequence[OpenOrder], now: datetime) -> Card:
    if not orders:
        return Card(say(language, "no-open-orders"), (_new_order_row(language), menu_row(language)))
    shown = orders[:ORDERS_SHOWN_MAX]
    parts = [say(language, "open-orders", count=len(orders))]
    parts += [
        _order_lines(language, number if len(shown) > 1 else 0, order, now)
        for number, order in enumerate(shown, start=1)
    ]
    if len(orders) > len(shown):
        parts.append(say(language, "more-open-orders", count=len(orders) - len(shown)))
    rows = [
        (_cancel_button(language, order.id, number if len(shown) > 1 else 0),)
        for number, order in enumerate(shown, start=1)
        if order.stoppable_count
    ]
    refresh = Button(label(language, "button-refresh"), Action.MY_ORDERS, REFRESH)
    return Card("\n\n".join(parts), (*rows, (refresh,), menu_row(language)))


def _order_lines(language: Language, number: int, order: OpenOrder, now: datetime) -> str:
    """`number` 0: the only one."""
    head = say(
        language,
        "open-order",
        template=label(language, f"template-{order.template}"),
        videos=counted_videos(language, len(order.videos)),
        minutes=max(0, (now - order.ordered_at) // _MINUTE),
    )
    lines = [f"{number}. {head}" if number else head]
    if order.words:
        lines.append(say(language, "open-order-words", text=shortened(order.words, _WORDS_UNITS_MAX)))
    if len(order.videos) == 1:
        lines.append(say(language, "open-order-stage", stage=_standing(language, order.videos[0])))
    else:
        lines += [_video_line(language, video) for video in order.videos]
    return "\n".join(lines)


def _video_line(language: Language, video: VideoFacts) -> str:
    return say(language, "open-order-video", number=video.number, stage=_standing(language, video))


def _standing(language: Language, video: VideoFacts) -> str:
    if video.standing is Standing.QUEUED and video.place:
        return label(language, "standing-queued-place", place=video.place)
    return label(language, f"standing-{video.standing}")


# -- cancelling -----------------------------------------------------------------------------------


def ask_cancel(language: Language, would: Cancellation) -> Card:
    """Before anything is stopped."""
    lines = [
        say(
            language,
            "ask-cancel",
            videos=counted_videos(language, len(would.stopped_video_ids)),
            credits=counted_credits(language, would.credits_back),
        ),
        *_going_on(language, would),
    ]
    order_id = would.order_id
    yes = Button(label(language, "button-cancel-yes"), Action.CANCEL_ORDER, f"{order_id}.{CONFIRMED}")
    no = Button(label(language, "button-cancel-no"), Action.CANCEL_ORDER, f"{order_id}.{KEPT}")
    return Card("\n".join(lines), ((yes,), (no,)))


def cancelled(language: Language, done: Cancellation, balance: int) -> Card:
    """What was stopped, what goes on, what came back."""
    if not done.stopped_video_ids:
        return nothing_stopped(language, done)
    lines = [
        say(
            language,
            "cancel-done",
            videos=counted_videos(language, len(done.stopped_video_ids)),
            credits=counted_credits(language, done.credits_back),
            balance=counted_credits(language, balance),
        ),
        *_going_on(language, done),
    ]
    return Card("\n".join(lines), (menu_row(language),))


def nothing_stopped(language: Language, found: Cancellation) -> Card:
    """All of it is bought already, or the order is over."""
    key = "cancel-too-late" if found.going_on else "cancel-over"
    return Card(say(language, key), (menu_row(language),))


def cancel_kept(language: Language) -> Card:
    return Card(say(language, "cancel-kept"), (menu_row(language),))


def cancel_toast(language: Language, done: Cancellation) -> str:
    if done.stopped_video_ids:
        return label(language, "toast-cancelled", credits=counted_credits(language, done.credits_back))
    return label(language, "toast-too-late" if done.going_on else "toast-over")


def _going_on(language: Language, cancellation: Cancellation) -> list[str]:
    count = cancellation.going_on
    if not count:
        return []
    return [say(language, "cancel-goes-on", count=count, videos=counted_videos(language, count))]


# -- my videos ------------------------------------------------------------------------------------


def my_videos(language: Language, shelf: ShelfPage) -> Card:
    if not shelf.videos:
        return Card(say(language, "no-videos"), (_new_order_row(language), menu_row(language)))
    text = say(language, "my-videos")
    if shelf.pages > 1:
        text += "\n" + say(language, "my-videos-page", page=shelf.page + 1, pages=shelf.pages)
    rows: list[tuple[Button, ...]] = [(_video_button(language, video),) for video in shelf.videos]
    rows.append(_page_row(shelf))
    return Card(text, (*(row for row in rows if row), menu_row(language)))


def _video_button(language: Language, video: ShelfVideo) -> Button:
    parts = [
        short_date(language, video.made_at),
        label(language, f"template-{video.template}"),
        shortened(" ".join(video.words.split()), _BUTTON_UNITS_MAX),
    ]
    return Button(" · ".join(part for part in parts if part), Action.SHOW_VIDEO, video.id)


def _page_row(shelf: ShelfPage) -> tuple[Button, ...]:
    earlier = [Button("◀", Action.MY_VIDEOS, str(shelf.page - 1))] if shelf.page > 0 else []
    later = [Button("▶", Action.MY_VIDEOS, str(shelf.page + 1))] if shelf.page < shelf.pages - 1 else []
    return (*earlier, *later)


# -- busy evenings --------------------------------------------------------------------------------


def busy_note(language: Language, minutes: int | None) -> str:
    """None: so long that an order would not be taken."""
    if minutes is None:
        return say(language, "busy-note-too-long")
    return say(language, "busy-note", minutes=minutes)


def not_now(language: Language, reason: WaitReason) -> Card:
    """The draft is kept. MODEL_RESTS is told by the failed order itself."""
    key = "not-now-maintenance" if reason is WaitReason.MAINTENANCE else "not-now-busy"
    return Card(say(language, key))


def free_again(language: Language) -> Card:
    return Card(say(language, "free-again"))


def model_is_back(language: Language, order_id: str) -> Card:
    return Card(say(language, "model-is-back"), (more_row(language, order_id), menu_row(language)))


# -- pieces ---------------------------------------------------------------------------------------


def _cancel_button(language: Language, order_id: str, number: int) -> Button:
    """`number` 0: the only order on the card."""
    if not number:
        return cancel_button(language, order_id)
    return Button(label(language, "button-cancel-numbered", number=number), Action.CANCEL_ORDER, order_id)


def _new_order_row(language: Language) -> tuple[Button, ...]:
    return (Button(label(language, "button-new-order"), Action.NEW_ORDER),)
