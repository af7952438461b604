"""The figures of a day, counted from the rows."""

from domain.clock import Clock
from store.database import Database


class Statistics:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
