"""`doctor` tries the logins of owner and backup, and reads how old backups are."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from admin.doctor_database import examine_database
from admin.doctor_logins import examine_backup_login, examine_owner
from admin.findings import Finding, Level
from backups.keeper import BACKUP, RESTORE_TEST, WAL_ARCHIVE
from domain.clock import utc_now
from local.postgres import PostgresServer
from store.chores import Chores
from store.database import Database
from tests.admin.test_doctor import tools

NOBODY = "postgresql://owner:hush-hush@127.0.0.1:9/none"
WELL = {BACKUP: timedelta(hours=20), WAL_ARCHIVE: timedelta(seconds=40), RESTORE_TEST: timedelta(days=6)}
LINES = {"backup", "WAL archive", "restore test"}


@pytest_asyncio.fixture
async def owner(owner_url: str) -> AsyncIterator[Database]:
    database = await Database.connect(owner_url)
    yield database
    await database.close()


async def chores(database: Database, ages: dict[str, timedelta]) -> None:
    for name, age in ages.items():
        await Chores(database).ended(name, utc_now() - age)


async def seen(database_url: str) -> dict[str, Finding]:
    found = await examine_database(tools(DATABASE_URL=database_url, BACKUP_URL="file:///kept"))
    return {each.what: each for each in found if each.what in LINES}


async def set_up(owner: Database, at: datetime) -> None:
    async with owner.connection() as connection:
        await connection.execute("update _yoyo_migration set applied_at_utc = $1", at.replace(tzinfo=None))


async def test_a_backup_as_it_should_be(database: Database, database_url: str) -> None:
    await chores(database, WELL)
    found = await seen(database_url)
    assert {what: each.level for what, each in found.items()} == dict.fromkeys(LINES, Level.OK)
    assert [found[what].said for what in ("backup", "restore test")] == ["is 20 h old", "is 6 days old"]
    # It grows while doctor looks; from 2 min on it would be told in minutes, and warned of.
    age = re.fullmatch(r"is (\d+) s old", found["WAL archive"].said)
    assert age, found["WAL archive"].said
    assert 40 <= int(age[1]) <= 120


@pytest.mark.parametrize(
    ("chore", "age", "what", "level"),
    [
        (BACKUP, timedelta(hours=27), "backup", Level.WRONG),
        (WAL_ARCHIVE, timedelta(minutes=3), "WAL archive", Level.WARNING),
        (WAL_ARCHIVE, timedelta(days=3), "WAL archive", Level.WRONG),
        (RESTORE_TEST, timedelta(days=9), "restore test", Level.WARNING),
        (RESTORE_TEST, timedelta(days=30), "restore test", Level.WRONG),
    ],
)
async def test_one_that_has_stopped_is_seen(
    database: Database, database_url: str, chore: str, age: timedelta, what: str, level: Level
) -> None:
    await chores(database, {**WELL, chore: age})
    found = await seen(database_url)
    assert (found[what].level, bool(found[what].do)) == (level, True)
    assert {found[each].level for each in LINES - {what}} == {Level.OK}


@pytest.mark.parametrize(
    ("since", "levels"),
    [
        (timedelta(hours=3), [Level.WARNING, Level.WARNING, Level.WARNING]),
        (timedelta(days=2), [Level.WRONG, Level.WRONG, Level.WARNING]),
        (timedelta(days=9), [Level.WRONG, Level.WRONG, Level.WRONG]),
    ],
)
async def test_none_ever_is_wrong_after_a_day(
    owner: Database, database_url: str, since: timedelta, levels: list[Level]
) -> None:
    await set_up(owner, utc_now() - since)
    found = await seen(database_url)
    assert [found[what].level for what in ("backup", "WAL archive", "restore test")] == levels
    assert all(each.do for each in found.values())


async def test_without_a_place_for_backups_there_is_no_line(database_url: str) -> None:
    found = await examine_database(tools(DATABASE_URL=database_url))
    assert not LINES & {each.what for each in found}


# -- logins ---------------------------------------------------------------------------------------


async def test_the_owner_may_migrate_and_the_programs_may_not(database_url: str, owner_url: str) -> None:
    (owner,) = await examine_owner(tools(DATABASE_URL=database_url, DATABASE_OWNER_URL=owner_url))
    (program,) = await examine_owner(tools(DATABASE_URL=database_url, DATABASE_OWNER_URL=database_url))
    assert (owner.level, "owns the tables" in owner.said) == (Level.OK, True)
    assert (program.level, "does not own" in program.said, bool(program.do)) == (Level.WRONG, True, True)


async def test_an_owner_before_the_first_migration(postgres_server: PostgresServer) -> None:
    await postgres_server.create_database("unmigrated")
    url = postgres_server.url("unmigrated")
    (found,) = await examine_owner(tools(DATABASE_URL=url, DATABASE_OWNER_URL=url))
    await postgres_server.drop_database("unmigrated")
    assert (found.level, "no tables yet" in found.said) == (Level.OK, True)


async def test_an_owner_of_another_database_is_wrong(
    postgres_server: PostgresServer, database_url: str
) -> None:
    await postgres_server.create_database("elsewhere")
    found = await examine_owner(
        tools(DATABASE_URL=database_url, DATABASE_OWNER_URL=postgres_server.url("elsewhere"))
    )
    await postgres_server.drop_database("elsewhere")
    assert [(each.level, "another database (elsewhere)" in each.said) for each in found] == [
        (Level.WRONG, True)
    ]


async def test_the_backups_login_has_to_replicate(database_url: str, owner_url: str) -> None:
    mighty = tools(DATABASE_URL=database_url, BACKUP_DATABASE_URL=owner_url)
    weak = tools(DATABASE_URL=database_url, BACKUP_DATABASE_URL=database_url)
    (may,), (may_not,) = await examine_backup_login(mighty), await examine_backup_login(weak)
    assert (may.level, "may replicate" in may.said) == (Level.OK, True)
    assert (may_not.level, "REPLICATION" in may_not.do) == (Level.WRONG, True)
    password = urlsplit(database_url).password
    assert not password or password not in str(may_not)


async def test_a_backup_of_another_postgresql_is_wrong(tmp_path: Path, database_url: str) -> None:
    other = PostgresServer(tmp_path / "other", durable=False)
    await other.start()
    found = await examine_backup_login(
        tools(DATABASE_URL=database_url, BACKUP_DATABASE_URL=other.url("postgres"))
    )
    await other.stop()
    assert [(each.level, "another PostgreSQL" in each.said) for each in found] == [(Level.WRONG, True)]


async def test_logins_that_are_refused_and_those_that_are_not_set() -> None:
    away = tools(DATABASE_URL=NOBODY, DATABASE_OWNER_URL=NOBODY, BACKUP_DATABASE_URL=NOBODY)
    found = [*await examine_owner(away), *await examine_backup_login(away)]
    assert [each.level for each in found] == [Level.WRONG, Level.WRONG]
    assert "hush" not in str(found)
    assert [*await examine_owner(tools()), *await examine_backup_login(tools())] == []
