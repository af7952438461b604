"""Drafts that could not be ordered now: their users are written to when it goes on."""

from domain.clock import Clock
from store.database import Database


class WaitingDrafts:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
