"""What a user sees of his own: open orders, and the videos of the last weeks."""

from domain.clock import Clock
from store.database import Database


class Library:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
