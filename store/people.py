"""One user as an operator sees him: also one who is forgotten, by our own number."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.figures import PastOrder, PastPayment
from domain.payments import PaymentState
from store.database import Database, load_queries

_queries = load_queries("people")
_statistics = load_queries("statistics")


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """`tg_user_id` is None once the person is forgotten."""

    user_id: int
    tg_user_id: int | None
    created_at: datetime
    language: str | None
    tg_language: str | None
    blocked_at: datetime | None
    forgotten_at: datetime | None
    available: int
    reserved: int
    debt_credits: int
    order_count: int
    waiting_videos: int


@dataclass(frozen=True, slots=True)
class PastEntry:
    """`of` is the order, the video or the payment it belongs to."""

    kind: str
    available_delta: int
    reserved_delta: int
    available_after: int
    created_at: datetime
    of: str
    note: str


@dataclass(frozen=True, slots=True)
class Person:
    facts: PersonFacts
    orders: tuple[PastOrder, ...]
    payments: tuple[PastPayment, ...]
    entries: tuple[PastEntry, ...]


class People:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, *, tg_user_id: int | None = None, user_id: int | None = None) -> Person | None:
        """By Telegram's number or by ours."""
        async with self._database.snapshot() as connection:
            row = await _queries.person(connection, tg_user_id=tg_user_id, user_id=user_id)
            if row is None:
                return None
            of = {"user_id": row["user_id"]}
            return Person(
                PersonFacts(**row),
                await _rows(PastOrder, _statistics.last_orders(connection, **of)),
                await _rows(_payment, _statistics.last_payments(connection, **of)),
                await _rows(PastEntry, _queries.last_entries(connection, **of)),
            )


def _payment(**row: Any) -> PastPayment:
    return PastPayment(**{**row, "state": PaymentState(row["state"])})


async def _rows(shape: Any, rows: Any) -> tuple[Any, ...]:
    """The columns are named as the fields."""
    return tuple([shape(**row) async for row in rows])
