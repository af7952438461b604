"""What administrators read, counted from the rows: one query per block, nothing kept beside them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from domain.clock import Clock
from domain.figures import (
    DayFigures,
    Deliveries,
    Income,
    Orders,
    PastFailure,
    PastOrder,
    PastPayment,
    Rating,
    Refunded,
    Spend,
    UserFacts,
)
from domain.orders import language_of
from domain.payments import PaymentState
from store.database import Connection, Database, Row, load_queries

_queries = load_queries("statistics")


class Statistics:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def today(self) -> date:
        """Days are UTC's."""
        return self._clock().astimezone(UTC).date()

    async def day(self, day: date) -> DayFigures:
        bounds = _bounds(day)
        async with self._database.connection() as connection:
            deliveries = Deliveries(**await _queries.deliveries_of_day(connection, **bounds))
            rated = [row async for row in _queries.ratings_of_day(connection, **bounds)]
            return DayFigures(
                orders=Orders(**await _queries.orders_of_day(connection, **bounds)),
                deliveries=deliveries,
                refunded=await _rows(Refunded, _queries.refunded_of_day(connection, **bounds)),
                income=await _rows(Income, _queries.income_of_day(connection, **bounds)),
                spend=Spend(await _queries.spend_of_day(connection, **bounds), deliveries.delivered),
                by_template=_ratings(rated, "template"),
                by_video_model=_ratings(rated, "video_model"),
            )

    async def user(self, tg_user_id: int) -> UserFacts | None:
        """None: nobody of this id has ever talked to us."""
        async with self._database.connection() as connection:
            row = await _queries.user_facts(connection, tg_user_id=tg_user_id)
            return await _user(connection, row) if row else None

    async def payment(self, tg_user_id: int, reference: str) -> PastPayment | None:
        """The one that `ids.charge_reference` means."""
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.payments_of_user(connection, tg_user_id=tg_user_id)]
        return next((each for each in map(_payment, rows) if each.reference == reference), None)


async def _user(connection: Connection, row: Row) -> UserFacts:
    of_user = {"user_id": row["id"]}
    return UserFacts(
        tg_user_id=row["tg_user_id"],
        since=row["created_at"],
        language=language_of(row["language"], row["tg_language"]),
        blocked=row["blocked"],
        available=row["available"],
        reserved=row["reserved"],
        debt_credits=row["debt_credits"],
        order_count=row["order_count"],
        orders=await _rows(PastOrder, _queries.last_orders(connection, **of_user)),
        failures=tuple([_failure(each) async for each in _queries.last_failures(connection, **of_user)]),
        payments=tuple([_payment(each) async for each in _queries.last_payments(connection, **of_user)]),
    )


def _payment(row: Row) -> PastPayment:
    return PastPayment(**{**row, "state": PaymentState(row["state"])})


def _failure(row: Row) -> PastFailure:
    return PastFailure(
        row["id"],
        row["closed_at"],
        row["failure_class"],
        row["failure_reason"],
        row["failure_code"],
        row["raw_answer"],
        row["prompt"],
    )


def _ratings(rows: Sequence[Row], by: str) -> tuple[Rating, ...]:
    """The other grouping has null here."""
    return tuple(Rating(row[by], row["likes"], row["dislikes"]) for row in rows if row[by] is not None)


async def _rows(shape: Any, rows: Any) -> tuple[Any, ...]:
    """The columns are named as the fields."""
    return tuple([shape(**row) async for row in rows])


def _bounds(day: date) -> dict[str, datetime]:
    since = datetime.combine(day, time(), UTC)
    return {"since": since, "until": since + timedelta(days=1)}
