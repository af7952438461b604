"""What does not go on, from the rows: ids and since when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from domain.clock import Clock
from store.database import Database, load_queries

_queries = load_queries("stuck")

_REFUND_TRIES: Final = 5


class Trouble(StrEnum):
    """Why something does not go on. The worst first."""

    PAST_DEADLINE = "past_deadline"
    OLDER_EPOCH = "older_epoch"
    HELD_RESERVATION = "held_reservation"
    UNSTARTED = "unstarted"
    NEAR_DEADLINE = "near_deadline"
    UNSENT = "unsent"
    LOST_CREATE = "lost_create"
    WAITING_FOR_ACCOUNT = "waiting_for_account"
    UNCLOSED_ORDER = "unclosed_order"
    PAYMENT = "payment"
    DOWN_SERVICE = "down_service"


@dataclass(frozen=True, slots=True)
class Patience:
    """So long each may take before it is looked at. All of it shrinks with TIME_SCALE."""

    start: timedelta = timedelta(seconds=30)
    order: timedelta = timedelta(minutes=45)  # tap → delivered or refunded, as promised
    sending: timedelta = timedelta(minutes=5)
    create: timedelta = timedelta(minutes=2)
    account: timedelta = timedelta(minutes=10)
    closing: timedelta = timedelta(minutes=5)

    def scaled(self, factor: float) -> "Patience":
        return Patience(*(getattr(self, name) * factor for name in Patience.__slots__))


@dataclass(frozen=True, slots=True)
class Stuck:
    trouble: Trouble
    id: str
    since: datetime


class StuckRows:
    def __init__(self, database: Database, clock: Clock, patience: Patience) -> None:
        self._database = database
        self._clock = clock
        self._patience = patience

    async def list(self, rows_max: int) -> list[Stuck]:
        """Of each trouble at most so many, the longest first."""
        async with self._database.snapshot() as connection:
            return [
                Stuck(trouble, row["id"], row["since"])
                for trouble, (query, bounds) in self._questions(self._clock()).items()
                for row in [each async for each in query(connection, rows_max=rows_max, **bounds)]
            ]

    def _questions(self, now: datetime) -> dict[Trouble, tuple[Any, dict[str, Any]]]:
        patience = self._patience
        return {
            Trouble.PAST_DEADLINE: (_queries.past_deadline, {"now": now}),
            Trouble.OLDER_EPOCH: (_queries.older_epochs, {}),
            Trouble.HELD_RESERVATION: (
                _queries.held_reservations,
                {"reserved_before": now - patience.closing},
            ),
            Trouble.UNSTARTED: (_queries.unstarted, {"before": now - patience.start}),
            Trouble.NEAR_DEADLINE: (
                _queries.near_deadline,
                {"now": now, "tapped_before": now - patience.order},
            ),
            Trouble.UNSENT: (_queries.unsent, {"now": now, "ready_before": now - patience.sending}),
            Trouble.LOST_CREATE: (_queries.lost_creates, {"sent_before": now - patience.create}),
            Trouble.WAITING_FOR_ACCOUNT: (
                _queries.waiting_for_account,
                {"enqueued_before": now - patience.account},
            ),
            Trouble.UNCLOSED_ORDER: (_queries.unclosed_orders, {"closed_before": now - patience.closing}),
            Trouble.PAYMENT: (_queries.unrefunded_payments, {"tries": _REFUND_TRIES}),
            Trouble.DOWN_SERVICE: (_queries.down_services, {}),
        }
