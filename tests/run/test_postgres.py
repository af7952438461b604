"""The embedded PostgreSQL: starts on a free port, keeps its data, ends without a trace."""

import asyncio
from pathlib import Path

import asyncpg
import psutil
import pytest

from local.postgres import PostgresServer
from local.processes import ChildFailed
from store.database import Database
from store.migrate import migrate, missing_migrations


async def test_fresh_database_has_the_schema(database: Database) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from orders") == 0
    assert await missing_migrations(database) == ()


async def test_server_takes_300_connections(postgres_server: PostgresServer) -> None:
    assert (await postgres_server.execute("show max_connections"))[0][0] == "300"


async def test_migrating_twice_at_once_applies_each_migration_once(postgres_server: PostgresServer) -> None:
    await postgres_server.create_database("twice")
    applied = await asyncio.gather(*(migrate(postgres_server.url("twice")) for _ in range(2)))
    assert min(applied) == 0
    assert max(applied) >= 1
    await postgres_server.drop_database("twice")


async def test_empty_database_names_what_is_missing(postgres_server: PostgresServer) -> None:
    await postgres_server.create_database("empty")
    database = await Database.connect(postgres_server.url("empty"))
    assert "0001.initial" in await missing_migrations(database)
    await database.close()
    await postgres_server.drop_database("empty")


async def test_data_survives_a_restart_and_a_kill(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "postgres")
    await server.start()
    await server.execute("create table kept as select 7 as number")
    await server.child.kill()
    again = PostgresServer(tmp_path / "postgres")
    await again.start()
    assert (await again.execute("select number from kept"))[0]["number"] == 7
    await again.stop()
    assert not psutil.pid_exists(again.child.pid)


async def test_a_second_server_on_the_same_folder_is_refused(postgres_server: PostgresServer) -> None:
    second = PostgresServer(postgres_server.folder)
    with pytest.raises(ChildFailed, match="PostgreSQL did not start"):
        await second.start()
    assert await postgres_server.execute("select 1")


async def test_password_of_another_server_does_not_fit(postgres_server: PostgresServer) -> None:
    password = (postgres_server.folder / "password").read_text()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres_server.url().replace(password, "wrong"), timeout=60)
