"""Money that reached us, and its way back. The provider's charge id makes each thing happen once."""

from domain.clock import Clock
from store.database import Database
from store.ledger import Ledger


class Payments:
    def __init__(self, database: Database, ledger: Ledger, clock: Clock) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
