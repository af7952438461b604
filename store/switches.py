"""What administrators switch on and off for all processes."""

from domain.clock import Clock
from store.database import Database


class Switches:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
