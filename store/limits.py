"""How often somebody may do something: token buckets, shared by all processes."""

from domain.clock import Clock
from store.database import Database


class RateLimits:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
