"""What the admins have heard: the same cause once in a while, and how often it was passed over since.

Whoever sends claims the cause first. One that was cut off in the middle is claimed again by the same
sender, and sent twice rather than never.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from domain.clock import Clock
from store.database import Connection, Database, Row, load_queries

_queries = load_queries("alerts")

AGAIN_IN: Final = timedelta(minutes=5)
"""So soon an alert that reached nobody may be told again."""
ANY_CAUSE: Final = "any"
"""The pause between two alerts that can wait, whatever their causes."""


class Alerts:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def claim(
        self, cause: str, quiet: timedelta, sender: str, pause: timedelta | None = None
    ) -> int | None:
        """How many of this cause were passed over since the last one; None: this one is passed over too.

        With a `pause` it also keeps its distance to alerts of other causes.
        """
        async with self._database.transaction() as connection:
            row = await self._locked(connection, cause)
            if row["claimed_by"] == sender:
                return int(row["suppressed"])
            paused_until = await self._paused_until(connection) if pause is not None else None
            now = self._clock()
            silent_until = max(filter(None, (row["quiet_until"], paused_until)), default=now)
            if silent_until > now:
                await _queries.count_suppressed(connection, cause=cause, quiet_until=silent_until)
                return None
            await self._claim(connection, cause, now + quiet, sender)
            if pause is not None:
                await self._claim(connection, ANY_CAUSE, now + pause)
        return int(row["suppressed"])

    async def sent(self, cause: str) -> None:
        async with self._database.connection() as connection:
            await _queries.end_claim(connection, cause=cause)

    async def not_sent(self, causes: Mapping[str, int], again_in: timedelta) -> None:
        """Nobody could be reached: so many of each cause are still to be told, in a while."""
        async with self._database.transaction() as connection:
            quiet_until = self._clock() + again_in
            for cause, count in sorted(causes.items()):
                await _queries.not_sent(connection, cause=cause, count=count, quiet_until=quiet_until)

    async def take_suppressed(self, pause: timedelta) -> Mapping[str, int]:
        """What was passed over and followed by no alert that said so; whoever takes it tells it."""
        async with self._database.transaction() as connection:
            paused_until = await self._paused_until(connection)
            now = self._clock()
            if paused_until is not None and paused_until > now:
                return {}
            rows = [row async for row in _queries.take_suppressed(connection, now=now)]
            if rows:
                await self._claim(connection, ANY_CAUSE, now + pause)
        return {row["cause"]: row["suppressed"] for row in rows}

    async def _locked(self, connection: Connection, cause: str) -> Row:
        await _queries.ensure_alert(connection, cause=cause, now=self._clock())
        row: Row = await _queries.lock_alert(connection, cause=cause)
        return row

    async def _paused_until(self, connection: Connection) -> datetime | None:
        until: datetime | None = (await self._locked(connection, ANY_CAUSE))["quiet_until"]
        return until

    async def _claim(
        self, connection: Connection, cause: str, quiet_until: datetime, sender: str = ""
    ) -> None:
        await _queries.claim_alert(
            connection, cause=cause, quiet_until=quiet_until, claimed_by=sender, now=self._clock()
        )
