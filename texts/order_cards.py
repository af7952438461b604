"""Cards of an order on its way: what the activities send. Pure, like the dialog's."""

from typing import Final

from domain.actions import Action, Button, Card
from domain.failures import CLASS_POLICIES, ClassPolicy, FailureClass, FailureReason
from domain.ids import order_id_of_video, video_id
from domain.orders import Language
from texts import label, say
from texts.cards import Rows, counted_credits, counted_videos, more_row

LIKED: Final = 1
DISLIKED: Final = -1
_STOPPABLE_STAGES: Final = frozenset({"accepted", "writing", "queued"})


# -- placeholders and delivery --------------------------------------------------------------------


def accepted(language: Language, order_id: str, count: int, minutes: int | None = None) -> Card:
    """What the confirm card becomes at the tap: the placeholder of the first video.

    `minutes`: expected, where that is longer than usual.
    """
    if minutes is None:
        return placeholder(language, 1, count, "accepted", order_id)
    return _placeholder(language, 1, count, order_id, say(language, "stage-accepted-busy", minutes=minutes))


def placeholder(language: Language, number: int, count: int, stage: str, order_id: str) -> Card:
    """The first one was the confirm card, and keeps its buttons; Cancel until it may be bought."""
    stoppable = stage in _STOPPABLE_STAGES
    return _placeholder(
        language, number, count, order_id, say(language, f"stage-{stage}"), stoppable=stoppable
    )


def _placeholder(
    language: Language, number: int, count: int, order_id: str, stage: str, *, stoppable: bool = True
) -> Card:
    lines = [say(language, "numbered", number=number, count=count)] if count > 1 else []
    rows: Rows = (more_row(language, order_id),) if number == 1 else ()
    if number == 1 and stoppable:
        rows = (*rows, (cancel_button(language, order_id),))
    return Card("\n".join([*lines, stage]), rows)


def delivered(language: Language, number: int, count: int, order_id: str, rating: int | None = None) -> Card:
    text = _numbered(language, "delivered", number, count)
    return Card(text, delivered_rows(language, video_id(order_id, number), rating))


def delivered_rows(language: Language, of_video: str, rating: int | None = None) -> Rows:
    """One row for the thumbs, the pressed one marked; the long labels stand alone."""
    liked, disliked = rating == LIKED, rating == DISLIKED
    order_id = order_id_of_video(of_video)
    return (
        (
            Button(label(language, "button-liked" if liked else "button-like"), Action.LIKE, of_video),
            Button(
                label(language, "button-disliked" if disliked else "button-dislike"), Action.DISLIKE, of_video
            ),
        ),
        more_row(language, order_id),
        (Button(label(language, "button-changed"), Action.CHANGED_AGAIN, order_id),),
        (_menu(language),),
    )


def ready(language: Language, number: int, count: int, video_id: str) -> Card:
    """The short reply that rings the phone: editing a message does not."""
    return Card(_numbered(language, "ready", number, count), (_here_row(language, video_id),))


def captured_unknown(language: Language, video_id: str) -> Card:
    return Card(say(language, "captured-unknown"), (_here_row(language, video_id),))


def waiting_videos(language: Language, count: int) -> Card:
    return Card(say(language, "waiting-videos", count=count))


# -- failures -------------------------------------------------------------------------------------


def video_failed(  # noqa: PLR0913 - each is one fact on the card, given by name
    language: Language,
    failure_class: FailureClass,
    reason: FailureReason,
    *,
    credits_back: int,
    balance: int,
    order_id: str,
    support_contact: str,
    number: int = 1,
    count: int = 1,
) -> Card:
    """What happened, what came back, what to press."""
    policy = CLASS_POLICIES[failure_class]
    lines = [
        video_failed_caption(language, number, count).text,
        why(language, failure_class, reason),
        _money(language, "failed-money", credits_back, balance),
        *_advice(language, policy, support_contact),
    ]
    return Card("\n".join(lines), _failure_rows(language, policy, order_id))


def video_failed_caption(language: Language, number: int, count: int) -> Card:
    """For the placeholder; the reason is a message of its own."""
    key = "failed-numbered" if count > 1 else "failed-one"
    args = {"number": number, "count": count} if count > 1 else {}
    return Card(say(language, key, **args))


def why(language: Language, failure_class: FailureClass, reason: FailureReason) -> str:
    if reason is not FailureReason.NONE:
        return say(language, f"reason-{reason}")
    return say(language, f"failed-{failure_class.lower().replace('_', '-')}")


def _advice(language: Language, policy: ClassPolicy, support_contact: str) -> list[str]:
    lines = []
    if policy.offers_another_photo:
        lines.append(say(language, "advice-photo"))
    if policy.offers_try_again:
        lines.append(say(language, "advice-again"))
    if policy.shows_support:
        lines.append(say(language, "advice-support", support=support_contact))
    return lines


def _failure_rows(language: Language, policy: ClassPolicy, order_id: str) -> Rows:
    rows: list[tuple[Button, ...]] = []
    if policy.offers_another_photo:
        rows.append((Button(label(language, "button-photo"), Action.ANOTHER_PHOTO, order_id),))
    if policy.offers_try_again:
        rows.append((_again(language, order_id),))
    return (*rows, (_menu(language),))


# -- closing and waiting --------------------------------------------------------------------------


def closing(  # noqa: PLR0913 - each is one fact on the card, given by name
    language: Language,
    *,
    delivered: int,
    waiting: int,
    failed: int,
    cancelled: int,
    credits_back: int,
    balance: int,
    order_id: str,
    offers_try_again: bool,
) -> Card:
    count = delivered + waiting + failed + cancelled
    others = {"waiting": waiting, "failed": failed, "cancelled": cancelled}
    lines = [say(language, "closing", delivered=delivered, count=count)]
    for kind, videos in others.items():
        if videos:
            lines.append(say(language, f"closing-{kind}", videos=counted_videos(language, videos)))
    if credits_back:
        lines.append(_money(language, "closing-money", credits_back, balance))
    again: Rows = ((_again(language, order_id),),) if offers_try_again else ()
    return Card("\n".join(lines), (*again, more_row(language, order_id), (_menu(language),)))


def cancelled(language: Language, credits_back: int, balance: int) -> Card:
    lines = [say(language, "order-cancelled"), _money(language, "closing-money", credits_back, balance)]
    return Card("\n".join(lines), ((_menu(language),),))


def long_wait(language: Language, step: int, why_waiting: str) -> Card:
    """`why_waiting`: queue, slow, second_attempt or outage; each step adds a sentence of its own."""
    lines = [say(language, f"long-wait-{why_waiting}")]
    if step > 1:
        lines.append(say(language, f"long-wait-step-{min(step, 3)}"))
    return Card("\n".join(lines))


# -- pieces ---------------------------------------------------------------------------------------


def cancel_button(language: Language, order_id: str) -> Button:
    return Button(label(language, "button-cancel-order"), Action.CANCEL_ORDER, order_id)


def _numbered(language: Language, key: str, number: int, count: int) -> str:
    if count > 1:
        return say(language, f"{key}-numbered", number=number, count=count)
    return say(language, key)


def _money(language: Language, key: str, credits_back: int, balance: int) -> str:
    return say(
        language,
        key,
        credits=counted_credits(language, credits_back),
        balance=counted_credits(language, balance),
    )


def _again(language: Language, order_id: str) -> Button:
    return Button(label(language, "button-again"), Action.TRY_AGAIN, order_id)


def _menu(language: Language) -> Button:
    return Button(label(language, "button-menu"), Action.MENU)


def _here_row(language: Language, video_id: str) -> tuple[Button, ...]:
    return (Button(label(language, "button-here"), Action.SEND_HERE, video_id),)
