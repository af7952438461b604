"""The schema, brought up to date by yoyo from the files in `schema/migrations`."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Final
from urllib.parse import unquote, urlsplit

import asyncpg
import psycopg
from psycopg import sql
from yoyo import get_backend, read_migrations

from domain.addresses import hidden_in
from schema import MIGRATIONS_DIR
from store.database import Database

_ADVISORY_LOCK: Final = 5_271_946_302
CONNECT_TIMEOUT_SECONDS: Final = 10
PROGRAM_ROLE: Final = "neurocards_app"

_CREATED: Final = re.compile(r"^create (?:unlogged )?(table|view) (\w+)", re.MULTILINE)
_READ_ONLY: Final = frozenset({"epochs"})  # raised by whoever restores, as the owner
_UNUSABLE: Final = """
    select name from unnest($1::text[]) with ordinality as known (name, place)
    where to_regclass(name) is null
       or not has_table_privilege(to_regclass(name)::oid, 'select')
       or (name = any ($2::text[]) and not has_table_privilege(to_regclass(name)::oid, 'insert'))
    order by place
"""
_OWNS_TABLES: Final = """
    select pg_has_role(current_user, c.relowner, 'usage')
    from pg_class c where c.oid = 'credit_entries'::regclass
"""


class CannotMigrate(Exception):
    """In PostgreSQL's words, without the password that its library may have put among them."""


async def migrate(url: str, program_login: str = "") -> int:
    """How many migrations were applied. Whoever comes second waits, then finds nothing to do.

    `url` logs in as the owner of the tables; `program_login` is the role whose rights the programs have.
    Raise CannotMigrate.
    """
    try:
        return await asyncio.to_thread(_apply, url, program_login)
    except psycopg.Error as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise CannotMigrate(hidden_in(said, url)) from None


def login_of(url: str) -> str:
    return unquote(urlsplit(url).username or "")


async def owns_tables(database: Database) -> bool:
    """Whether the programs' own login could change the schema and the ledger."""
    async with database.connection() as connection:
        return bool(await connection.fetchval(_OWNS_TABLES))


async def missing_migrations(database: Database) -> tuple[str, ...]:
    """What `admin_main.py setup` has still to apply here; all, where its grants have not come yet."""
    try:
        async with database.connection() as connection:
            rows = await connection.fetch("select migration_id from _yoyo_migration")
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        rows = []
    applied = {row["migration_id"] for row in rows}
    return tuple(name for name in known_migrations() if name not in applied)


async def unusable_tables(database: Database) -> tuple[str, ...]:
    """Tables and views that the migrations made, and that are gone or closed to this login."""
    kinds = dict(_known_tables())
    written = [name for name, kind in kinds.items() if kind == "table" and name not in _READ_ONLY]
    async with database.connection() as connection:
        rows = await connection.fetch(_UNUSABLE, list(kinds), written)
    return tuple(row["name"] for row in rows)


def _known_tables() -> Iterator[tuple[str, str]]:
    for name in known_migrations():
        for kind, table in _CREATED.findall((MIGRATIONS_DIR / f"{name}.sql").read_text()):
            yield table, kind


def known_migrations() -> list[str]:
    return sorted(path.stem for path in MIGRATIONS_DIR.glob("*.sql") if not path.stem.endswith(".rollback"))


def _apply(url: str, program_login: str) -> int:
    """yoyo's own lock is a row that outlives a killed process; an advisory lock ends with its connection."""
    with closing(psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS)) as guard:
        guard.execute("select pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
        applied = _apply_locked(url)
        if program_login not in {"", login_of(url)}:
            grant = sql.SQL("grant {} to {}")
            guard.execute(grant.format(sql.Identifier(PROGRAM_ROLE), sql.Identifier(program_login)))
        return applied


def _apply_locked(url: str) -> int:
    backend = get_backend(urlsplit(url)._replace(scheme="postgresql+psycopg").geturl())
    with closing(backend.connection):
        backend.break_lock()
        pending = backend.to_apply(read_migrations(str(MIGRATIONS_DIR)))
        backend.apply_migrations(pending)
        return len(pending)
