"""What is counted when it is committed: whoever writes a row knows whether he was the first."""

from typing import Any, Final

from domain.attempts import AttemptRow
from domain.credits import Entry, EntryKind
from domain.failures import Failure
from domain.orders import AttemptState, VideoState
from store.database import Connection, Row, after_commit, load_queries
from telemetry import metrics

CREDIT_KINDS: Final = {
    EntryKind.RESERVE: "reserved",
    EntryKind.CAPTURE: "captured",
    EntryKind.REFUND: "refunded",
    EntryKind.WELCOME: "welcome",
    EntryKind.GRANT: "granted",
    EntryKind.PURCHASE: "bought",
    EntryKind.PURCHASE_REFUND: "returned",
}
TAKEN: Final = "taken"
"""A grant below zero: an administrator took them, or nobody is there any more to spend them."""

STAR_OUTCOMES: Final = ("paid", "unclear", "refunded")
ORDER_OUTCOMES: Final = ("DELIVERED", "PARTLY", "FAILED", "CANCELLED", "UNFINISHED")
ANSWERED: Final = tuple(state for state in AttemptState if state not in {"INTENT", "SENDING"})
_STARS: Final = "XTR"

_orders = load_queries("orders")


def count_entry(entry: Entry) -> None:
    amount = max(abs(entry.available_delta), abs(entry.reserved_delta))
    kind = (
        TAKEN if entry.kind is EntryKind.GRANT and entry.available_delta < 0 else CREDIT_KINDS.get(entry.kind)
    )
    if kind is not None and amount:
        after_commit(lambda: metrics.CREDITS.add(amount, kind=kind))


def count_accepted(template: str) -> None:
    after_commit(lambda: metrics.ORDERS_ACCEPTED.add(template=template))


async def count_order(connection: Connection, closed_id: str | None) -> None:
    """`closed_id` is None where this call did not close it."""
    if closed_id is not None:
        outcome: str = await _orders.outcome(connection, order_id=closed_id)
        after_commit(lambda: metrics.ORDERS.add(outcome=outcome))


def count_video(closed: Row, state: VideoState, failure: Failure | None) -> None:
    """`closed` is the row as it was written."""

    def count() -> None:
        metrics.VIDEOS.add(
            outcome=state.value,
            failure_class=failure.failure_class.value if failure else "",
            video_model=closed["video_model"] or "",
        )
        metrics.VIDEO_DURATION.record(closed["seconds"], outcome=state.value)

    after_commit(count)


def count_delivery(seconds: float | None) -> None:
    """None: it was in the chat before, or had waited for its user."""
    if seconds is not None:
        after_commit(lambda: metrics.DELIVERY_DURATION.record(seconds))


def count_admission(waited_seconds: float | None) -> None:
    if waited_seconds is not None:
        after_commit(lambda: metrics.ADMISSION_WAIT.record(waited_seconds))


def count_attempt(before: AttemptRow, now: AttemptRow) -> None:
    """Of what was sent; an adopted one counts a second time, as accepted."""
    if now.state is not before.state and now.state in ANSWERED and now.sent_at is not None:
        after_commit(lambda: metrics.ATTEMPTS.add(state=now.state.value, video_model=now.video_model))


def count_late_result() -> None:
    after_commit(metrics.LATE_RESULTS.add)


def count_stars(payment: Any, outcome: str) -> None:
    """`payment` has an amount in a currency."""
    amount, currency = payment.amount, payment.currency
    if currency == _STARS:
        after_commit(lambda: metrics.STARS.add(amount, outcome=outcome))
