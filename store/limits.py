"""How often somebody may do something: token buckets, shared by all processes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from domain.clock import Clock
from store.database import Database, Row, load_queries

_queries = load_queries("limits")

_ALLOWED: Final = 0.0
_WAIT_SECONDS_MIN: Final = 0.001


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, and then so many per second."""

    per_second: float
    burst: float


class RateLimits:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, name: str, rate: Rate, tokens: float = 1.0, spare: float = 0.0) -> float:
        """0 where it is allowed, otherwise the seconds until it is; then nothing was taken.

        Who leaves `spare` tokens in the bucket lets those go first who do not.
        """
        async with self._database.connection() as connection:
            row: Row = await _queries.take(
                connection,
                name=name,
                burst=rate.burst,
                per_second=rate.per_second,
                tokens=tokens,
                spare=spare,
                now=self._clock(),
            )
        return _ALLOWED if row["allowed"] else _wait_seconds(row, rate, tokens + spare)

    async def rest(self, name: str, rate: Rate, seconds: float) -> None:
        """Nobody takes anything for so long."""
        owed = {"per_second": rate.per_second, "owed": rate.per_second * seconds - 1}
        async with self._database.connection() as connection:
            await _queries.rest(connection, name=name, now=self._clock(), **owed)

    async def forget(self, older_than: timedelta) -> None:
        """A bucket that nobody touched for long is full again."""
        async with self._database.connection() as connection:
            await _queries.forget_limits(connection, before=self._clock() - older_than)


def _wait_seconds(row: Row, rate: Rate, wanted: float) -> float:
    """Two that ask at once see the bucket before the other one did, and are told a moment."""
    if row["tokens"] is None:
        return _WAIT_SECONDS_MIN
    missing: float = wanted - row["tokens"] - rate.per_second * max(0.0, row["age_seconds"])
    return max(_WAIT_SECONDS_MIN, missing / rate.per_second)
