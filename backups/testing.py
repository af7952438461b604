"""A restore test: the newest moment, restored beside everything, looked at, and thrown away."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from backups.recovering import url_on
from backups.restoring import check_room, find_plan, recovered, throw_away
from clients.backups import BackupStorage
from domain.backups import CannotRestore
from domain.clock import Clock
from store.database import STATEMENT_ERRORS, Database, DatabaseUnavailable
from store.invariants import Invariants
from store.restores import Restores

RESTORE_TEST_PREFIX: Final = "restore-test-"
_IDS_MAX = 10


@dataclass(frozen=True, slots=True)
class RestoreTested:
    """`stands_at`: the last transaction that was replayed; None where none came after the base backup."""

    base: str
    segments: int
    stands_at: datetime | None
    rows: int
    broken: int
    seconds: float


async def test_restore(
    storage: BackupStorage, system_id: str, folder: Path, url: str, clock: Clock
) -> RestoreTested:
    """`url` is the programs' own login. Raise CannotRestore: nobody could restore it."""
    started_at = clock()
    kept, plan = await find_plan(storage, None, system_id)
    check_room(folder, plan)
    work = Path(tempfile.mkdtemp(prefix=RESTORE_TEST_PREFIX, dir=folder))
    try:
        async with recovered(kept, plan, work, work / "data") as port:
            stands_at, rows, broken = await _look(url_on(port, url), clock)
    finally:
        await throw_away(work)
    seconds = (clock() - started_at).total_seconds()
    return RestoreTested(plan.base.label, len(plan.wal), stands_at, rows, broken, round(seconds, 1))


async def _look(url: str, clock: Clock) -> tuple[datetime | None, int, int]:
    try:
        database = await Database.connect(url)
    except DatabaseUnavailable as error:
        raise CannotRestore(f"the restored PostgreSQL does not let the programs in: {error}") from None
    try:
        stands_at = await Restores(database, clock).stands_at()
        checked = await Invariants(database, clock).check(complete=True, ids_max=_IDS_MAX)
    except STATEMENT_ERRORS as error:  # damaged rows are what it looks for
        raise CannotRestore(f"what was restored cannot be read: {error}") from None
    finally:
        await database.close()
    return stands_at, sum(checked.rows.values()), sum(checked.broken_count(rule) for rule in checked.broken)
