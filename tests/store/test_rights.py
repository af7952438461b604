"""What the programs' own login may not do, whatever SQL reaches the database through them."""

from uuid import uuid4

import asyncpg
import pytest

from local.postgres import PostgresServer
from store.database import Database
from store.migrate import login_of, migrate, missing_migrations, owns_tables

FORBIDDEN = [
    "update credit_entries set available_delta = 9",
    "delete from credit_entries",
    "truncate credit_entries",
    "alter table credit_entries disable trigger credit_entries_append_only",
    "drop trigger credit_entries_append_only on credit_entries",
    "alter table credit_entries drop constraint credit_entries_cause_key",
    "create or replace function refuse_change() returns trigger language plpgsql as 'begin return new; end'",
    "select * from credit_entries for update",
    "drop table wallets",
    "alter table wallets drop constraint wallets_available_check",
    "delete from wallets",
    "delete from users",
    "delete from orders",
    "delete from videos",
    "delete from attempts",
    "delete from payments",
    "delete from admin_actions",
    "create table notes (line text)",
    "create function anything() returns int language sql as 'select 1'",
    "delete from _yoyo_migration",
    "update _yoyo_migration set migration_id = 'x'",
    "grant neurocards_app to neurocards",
    "set role neurocards",
    "copy users to program 'cat'",
    "select pg_read_file('postgresql.conf')",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_programs_may_not(database: Database, statement: str) -> None:
    async with database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_the_owner_may_and_setup_can_tell(database: Database, owner_url: str) -> None:
    """The statements above fail for their rights alone."""
    assert not await owns_tables(database)
    owner = await Database.connect(owner_url)
    assert await owns_tables(owner)
    async with owner.connection() as connection:
        await connection.execute("truncate credit_entries")
    await owner.close()


async def test_an_owner_who_may_create_no_role_still_migrates(postgres_server: PostgresServer) -> None:
    """An installation from before: one login, which owns the database."""
    name = f"rights_{uuid4().hex[:8]}"
    await postgres_server.execute(f"create role {name} login password 'secret'")
    await postgres_server.execute(f"create database {name} owner {name}")
    url = postgres_server.url(name, name).replace(url_password(postgres_server), "secret")
    assert login_of(url) == name
    assert await migrate(url, login_of(url)) > 0
    database = await Database.connect(url)
    assert await missing_migrations(database) == ()
    await database.close()
    await postgres_server.drop_database(name)
    await postgres_server.execute(f"drop role {name}")


def url_password(server: PostgresServer) -> str:
    return (server.folder / "password").read_text()


async def test_a_table_of_a_later_migration_is_open_to_the_programs(
    database: Database, owner_url: str
) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute("create table later (id bigint generated always as identity, line text)")
    await owner.close()
    async with database.connection() as connection:
        await connection.execute("insert into later (line) values ('a')")
        assert await connection.fetchval("select line from later") == "a"


async def test_a_program_that_may_not_look_yet_waits_for_setup(database: Database, owner_url: str) -> None:
    """Between the first migration and the grants."""
    owner = await asyncpg.connect(owner_url)
    await owner.execute("revoke select on _yoyo_migration from neurocards_app")
    await owner.close()
    assert await missing_migrations(database)
