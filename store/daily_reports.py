"""The facts of the daily report, and whom it has reached: a day is told once."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from domain.clock import Clock
from domain.daily import AccountDay, DayReport
from store.database import Database, load_queries
from store.invariants import Invariants
from store.statistics import Statistics

_queries = load_queries("daily_reports")

_DAY: Final = timedelta(days=1)


class DailyReports:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._statistics = Statistics(database, clock)
        self._invariants = Invariants(database, clock)

    def yesterday(self) -> date:
        """Days are UTC's, as everywhere in the figures."""
        return self._statistics.today() - _DAY

    async def read(self, day: date) -> DayReport:
        return DayReport(
            day=day,
            figures=await self._statistics.day(day),
            before=await self._statistics.day(day - _DAY),
            accounts=await self._accounts(day),
            oldest_open_seconds=await self._value(_queries.oldest_open),
            broken=await self._invariants.broken_count(),
            backup_age_seconds=await self._value(_queries.chore_age, name="backup"),
        )

    async def begin(self, day: date, place: int) -> bool:
        """False: the administrator at this place (1 is the first) was tried before."""
        return bool(await self._value(_queries.begin, day=day.isoformat(), place=place))

    async def withdraw(self, day: date, place: int) -> None:
        """He surely has no message: the next try begins with him."""
        async with self._database.connection() as connection:
            await _queries.withdraw(connection, day=day.isoformat(), place=place)

    async def _accounts(self, day: date) -> tuple[AccountDay, ...]:
        since = datetime.combine(day, time(), UTC)
        bounds = {"now": self._clock(), "since": since, "until": since + _DAY}
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.accounts(connection, **bounds)]
        return tuple(
            AccountDay(
                account=row["account"],
                balance=row["balance"],
                spent=row["spent"],
                blocked=row["blocked"],
                keys=row["keys"],
                keys_blocked=row["keys_blocked"],
            )
            for row in rows
        )

    async def _value(self, query: Any, **which: Any) -> Any:
        async with self._database.connection() as connection:
            return await query(connection, now=self._clock(), **which)
