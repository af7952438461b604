"""Look for a history that breaks the ledger: in CI shortly and always the same, by hand as long as wished."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from store.database import Database
from tests.models.ledger_machine import LedgerMachine, Stage
from tests.models.ledger_real import CONNECTIONS, LedgerReal
from tests.models.loops import own_loop

STEPS: Final = 40


def search(database_url: str, owner_url: str, options: settings) -> None:
    """Raise what was found, with the steps that lead there."""
    with _stage(database_url, owner_url) as stage:
        machine = type("LedgerMachine", (LedgerMachine,), {"stage": stage})
        run_state_machine_as_test(machine, settings=settings(options, stateful_step_count=STEPS))


@contextmanager
def _stage(database_url: str, owner_url: str) -> Iterator[Stage]:
    with own_loop() as loop:
        database = loop.run(Database.connect(database_url, CONNECTIONS))
        owner = loop.run(asyncpg.connect(owner_url))
        try:
            yield Stage(loop, LedgerReal(database, owner))
        finally:
            loop.run(owner.close())
            loop.run(database.close())
