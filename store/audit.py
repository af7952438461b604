"""Every deed of an administrator, kept."""

from domain.clock import Clock
from store.database import Database


class AuditLog:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
