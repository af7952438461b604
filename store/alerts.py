"""Alerts the admins have had. One that was cut off in the middle is sent again rather than lost."""

from datetime import timedelta

from domain.clock import Clock
from store.database import Database, load_queries

_queries = load_queries("alerts")


class Alerts:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def was_sent(self, cause: str, within: timedelta) -> bool:
        async with self._database.connection() as connection:
            return bool(await _queries.was_sent(connection, cause=cause, since=self._clock() - within))

    async def mark_sent(self, cause: str) -> None:
        async with self._database.connection() as connection:
            await _queries.mark_sent(connection, cause=cause, now=self._clock())
