"""While a deploy is under way the previous release runs on the new schema: its queries work there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiosql
import asyncpg
import pytest

from tests.deploys.previous import FOLDER

FILES = sorted(FOLDER.glob("*.sql"))


def queries_of(path: Path) -> Iterator[tuple[str, str]]:
    loaded: Any = aiosql.from_path(path, "asyncpg", mandatory_parameters=False)
    for name in loaded.available_queries:
        if not name.endswith("_cursor"):
            yield name, getattr(loaded, name).sql


QUERIES = [(f"{path.stem}.{name}", sql) for path in FILES for name, sql in queries_of(path)]


async def refusal_of(connection: asyncpg.Connection, sql: str) -> str:
    """What PostgreSQL has against it: a name, a type, or a right the programs do not have."""
    try:
        await connection.prepare(sql)
        await connection.execute(f"explain (generic_plan) {sql}")
    except asyncpg.PostgresError as error:
        return f"{type(error).__name__}: {error}"
    return ""


async def test_every_query_of_the_previous_release_can_be_run(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    refused = {name: why for name, sql in QUERIES if (why := await refusal_of(connection, sql))}
    await connection.close()
    assert len(QUERIES) > 150
    assert not refused


@pytest.mark.parametrize(
    "change",
    [
        "alter table videos drop column sends_refused",
        "alter table orders rename column language to tongue",
        "alter table wallets alter column available type text",
        "revoke select on messages from neurocards_app",
    ],
)
async def test_a_schema_that_breaks_it_is_noticed(database_url: str, owner_url: str, change: str) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute("alter table wallets drop constraint if exists wallets_available_check")
    await owner.execute(change)
    await owner.close()
    connection = await asyncpg.connect(database_url)
    refused = [name for name, sql in QUERIES if await refusal_of(connection, sql)]
    await connection.close()
    assert refused
