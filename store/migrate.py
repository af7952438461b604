"""The schema, brought up to date by yoyo from the files in `schema/migrations`."""

import asyncio
from contextlib import closing
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import psycopg
from yoyo import get_backend, read_migrations

from schema import MIGRATIONS_DIR
from store.database import Database

_ADVISORY_LOCK: Final = 5_271_946_302
CONNECT_TIMEOUT_SECONDS: Final = 10


async def migrate(url: str) -> int:
    """How many migrations were applied. Whoever comes second waits, then finds nothing to do."""
    return await asyncio.to_thread(_apply, url)


async def missing_migrations(database: Database) -> tuple[str, ...]:
    """What `admin_main.py setup` has still to apply here."""
    try:
        async with database.connection() as connection:
            rows = await connection.fetch("select migration_id from _yoyo_migration")
    except asyncpg.UndefinedTableError:
        rows = []
    applied = {row["migration_id"] for row in rows}
    return tuple(name for name in _migration_names() if name not in applied)


def _migration_names() -> list[str]:
    return sorted(path.stem for path in MIGRATIONS_DIR.glob("*.sql") if not path.stem.endswith(".rollback"))


def _apply(url: str) -> int:
    """yoyo's own lock is a row that outlives a killed process; an advisory lock ends with its connection."""
    with closing(psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS)) as guard:
        guard.execute("select pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
        return _apply_locked(url)


def _apply_locked(url: str) -> int:
    backend = get_backend(urlsplit(url)._replace(scheme="postgresql+psycopg").geturl())
    with closing(backend.connection):
        backend.break_lock()
        pending = backend.to_apply(read_migrations(str(MIGRATIONS_DIR)))
        backend.apply_migrations(pending)
        return len(pending)
