"""The whole system at one moment, for gauges."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.clock import Clock
from store.database import Database, load_queries

_queries = load_queries("system")


@dataclass(frozen=True, slots=True)
class Work:
    """What is open. The oldest are 0 s old where there is nothing."""

    videos_by_stage: Mapping[str, int]
    queued: int
    queue_seconds: float
    reservation_seconds: float
    unstarted: int
    ambiguous: int


@dataclass(frozen=True, slots=True)
class InvariantState:
    """`checked_at` is None before the first check."""

    broken_by_rule: Mapping[str, int]
    checked_at: datetime | None


class SystemRows:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def work(self) -> Work:
        stages = await self._pairs(_queries.open_videos, "stage", "videos")
        async with self._database.connection() as connection:
            row = await _queries.facts(connection, now=self._clock())
        return Work(
            videos_by_stage=stages,
            queued=row["queued"],
            queue_seconds=row["queue_seconds"] or 0.0,
            reservation_seconds=row["reservation_seconds"] or 0.0,
            unstarted=row["unstarted"],
            ambiguous=row["ambiguous"],
        )

    async def services(self) -> dict[str, bool]:
        """Whether each that was ever in trouble is marked as down now."""
        return await self._pairs(_queries.services_down, "name", "is_down")

    async def invariants(self) -> InvariantState:
        broken = await self._pairs(_queries.broken_by_rule, "rule", "subjects")
        async with self._database.connection() as connection:
            checked_at = await _queries.invariants_checked_at(connection)
        return InvariantState(broken, checked_at)

    async def chores(self) -> dict[str, datetime]:
        """When each came to its end last."""
        return await self._pairs(_queries.chores, "name", "ended_at")

    async def _pairs(self, query: Any, key: str, value: str) -> dict[str, Any]:
        async with self._database.connection() as connection:
            return {row[key]: row[value] async for row in query(connection)}
