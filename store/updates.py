"""Telegram updates that were handled: each comes at least once, and counts once."""

from datetime import timedelta

from domain.clock import Clock
from store.database import Database, load_queries

_queries = load_queries("updates")


class HandledUpdates:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def was_handled(self, update_id: int) -> bool:
        async with self._database.connection() as connection:
            return bool(await _queries.was_handled(connection, update_id=update_id))

    async def mark_handled(self, update_id: int) -> None:
        async with self._database.connection() as connection:
            await _queries.mark_handled(connection, update_id=update_id, now=self._clock())

    async def forget(self, older_than: timedelta) -> None:
        """Telegram repeats an update for a day at most."""
        async with self._database.connection() as connection:
            await _queries.forget_handled(connection, before=self._clock() - older_than)
