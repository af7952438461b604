"""The release before a migration runs on the schema after it: migrations only add."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from local.postgres import PostgresServer
from schema import MIGRATIONS_DIR

MIGRATIONS = sorted(path for path in MIGRATIONS_DIR.glob("*.sql") if not path.stem.endswith(".rollback"))

COLUMNS = """
    select table_name, column_name, data_type, is_nullable = 'YES' as nullable,
           column_default is not null or is_identity = 'YES' or is_generated = 'ALWAYS' as filled
    from information_schema.columns where table_schema = 'public'
"""


@asynccontextmanager
async def database_at(server: PostgresServer, applied: list[Path]) -> AsyncIterator[asyncpg.Connection]:
    name = f"migrations_{uuid4().hex[:8]}"
    await server.create_database(name)
    connection = await asyncpg.connect(server.url(name))
    try:
        for migration in applied:
            await connection.execute(migration.read_text())
        yield connection
    finally:
        await connection.close()
        await server.drop_database(name)


async def columns_of(connection: asyncpg.Connection) -> dict[tuple[str, str], asyncpg.Record]:
    return {(row["table_name"], row["column_name"]): row for row in await connection.fetch(COLUMNS)}


@pytest.mark.parametrize(("older", "newer"), list(pairwise(MIGRATIONS)), ids=lambda path: path.stem)
async def test_what_the_release_before_reads_and_writes_is_still_there(
    postgres_server: PostgresServer, older: Path, newer: Path
) -> None:
    history = MIGRATIONS[: MIGRATIONS.index(newer)]
    assert history[-1] == older
    async with (
        database_at(postgres_server, history) as before,
        database_at(postgres_server, [*history, newer]) as after,
    ):
        known, now = await columns_of(before), await columns_of(after)
    tables = {table for table, _ in known}
    assert {name: row["data_type"] for name, row in known.items()}.items() <= {
        name: row["data_type"] for name, row in now.items()
    }.items()
    must_be_given = {
        name
        for name, row in now.items()
        if name not in known and name[0] in tables and not row["nullable"] and not row["filled"]
    }
    assert not must_be_given, f"an insert of the release before leaves these out: {must_be_given}"
    stricter = {name for name, row in known.items() if row["nullable"] and not now[name]["nullable"]}
    assert not stricter, f"the release before writes null here: {stricter}"
