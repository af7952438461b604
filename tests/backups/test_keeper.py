"""The backup as it runs: what was committed is kept in time, and every chore leaves its row."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from backups.keeper import BACKUP, RESTORE_TEST, WAL_ARCHIVE, BackupPlaces, Keeper, OtherInstance
from backups.receiving import SLOT
from backups.restoring import find_plan, restore_into
from domain.clock import utc_now
from local.postgres import PROGRAM_LOGIN, SUPERUSER, PostgresServer
from store.chores import Chores
from store.migrate import migrate
from store.restores import Restores
from tests.backups.servers import DATABASE, USER, Shop, shop
from tests.backups.test_restoring import balance, received

TIME_SCALE = 0.02


@pytest_asyncio.fixture
async def sold() -> AsyncIterator[Shop]:
    async with shop() as opened:
        yield opened


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - other programs
            await asyncio.sleep(0.1)


@asynccontextmanager
async def keeping(sold: Shop, time_scale: float = TIME_SCALE) -> AsyncIterator[Keeper]:
    program_url = sold.server.program_url(DATABASE)
    places = BackupPlaces(sold.storage, sold.owner_url, program_url, sold.folder / "work")
    keeper = Keeper(places, sold.database, utc_now)
    running = asyncio.create_task(keeper.run(time_scale))
    try:
        yield keeper
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def ended_after(sold: Shop, chore: str, moment: datetime) -> Callable[[], Awaitable[bool]]:
    async def ended() -> bool:
        last = await Chores(sold.database).last(chore)
        return last is not None and last.ended_at > moment

    return ended


async def test_what_was_committed_survives_the_end_of_the_machine(sold: Shop) -> None:
    began_at = utc_now()
    async with keeping(sold):
        for chore in (BACKUP, RESTORE_TEST):
            await until(ended_after(sold, chore, began_at))
        await sold.grant("the last one")
        await received(sold)
        await until(ended_after(sold, WAL_ARCHIVE, utc_now()))
        await sold.server.child.kill()
    await sold.database.close()
    (sold.data / "postmaster.pid").unlink()
    kept, plan = await find_plan(sold.storage, None)
    await restore_into(sold.data, kept, plan, sold.owner_url, utc_now)
    await sold.start_again()
    async with sold.database.connection() as connection:
        assert await connection.fetchval("select count(*) from credit_entries where user_id = $1", USER) == 1


async def restored_balance(sold: Shop) -> int:
    """Of the newest moment that is kept; the server was killed."""
    await sold.database.close()
    (sold.data / "postmaster.pid").unlink()
    kept, plan = await find_plan(sold.storage, None)
    await restore_into(sold.data, kept, plan, sold.owner_url, utc_now)
    await sold.start_again()
    return await balance(sold)


async def test_what_is_received_is_kept_when_it_is_told_to_end(sold: Shop) -> None:
    async with keeping(sold, time_scale=60):  # it ends before its second round
        await until(ended_after(sold, BACKUP, datetime.min.replace(tzinfo=UTC)))
        await sold.grant("the last one")
        await received(sold)
        await sold.server.child.kill()
    assert await restored_balance(sold) == 1


async def test_what_is_received_is_kept_when_only_storage_comes_back(sold: Shop) -> None:
    """PostgreSQL died while it was away: what is here is all that is left of the last minutes."""
    folder = sold.folder / "kept"
    async with keeping(sold):
        await until(ended_after(sold, WAL_ARCHIVE, datetime.min.replace(tzinfo=UTC)))
        await until(ended_after(sold, BACKUP, datetime.min.replace(tzinfo=UTC)))
        folder.rename(sold.folder / "away")
        folder.touch()
        await sold.grant("the last one")
        await received(sold)
        await sold.server.child.kill()
        back_at = utc_now()  # nothing can be kept before the next lines
        await asyncio.sleep(0.1)  # files are dated by a clock of coarser steps
        folder.unlink()
        (sold.folder / "away").rename(folder)

        async def kept_again() -> bool:
            return any(each.kept_at > back_at for each in await sold.kept.wal())

        await until(kept_again)
    assert await restored_balance(sold) == 1


async def replace_by_an_empty_one(sold: Shop) -> None:
    """As after the loss of its volume: the same address, the same passwords, nothing in it."""
    password = (sold.server.folder / "password").read_text()
    empty = PostgresServer(sold.folder / "empty")
    await empty.start()
    await empty.create_database(DATABASE)
    await migrate(empty.url(DATABASE), PROGRAM_LOGIN)
    for login in (PROGRAM_LOGIN, SUPERUSER):
        await empty.execute(f"alter role {login} password '{password}'")
    (empty.folder / "password").write_text(password)
    await empty.stop()
    await sold.server.stop()
    sold.data.rename(sold.data.with_name("lost"))
    (empty.folder / "data").rename(sold.data)
    await sold.server.start()


async def test_it_ends_when_the_server_is_another_instance(sold: Shop) -> None:
    program_url = sold.server.program_url(DATABASE)
    places = BackupPlaces(sold.storage, sold.owner_url, program_url, sold.folder / "work")
    running = asyncio.create_task(Keeper(places, sold.database, utc_now).run(TIME_SCALE))
    await until(ended_after(sold, WAL_ARCHIVE, datetime.min.replace(tzinfo=UTC)))
    await replace_by_an_empty_one(sold)
    with pytest.raises(OtherInstance, match="started again, it begins anew"):
        await asyncio.wait_for(running, 60)
    kept = {each.key.partition("/")[0] for each in await sold.storage.files() if "/wal/" in each.key}
    assert len(kept) == 1


async def lose_slot(sold: Shop) -> None:
    """PostgreSQL goes on while nobody receives, further than it keeps WAL for him."""
    for statement in (
        "alter system set max_slot_wal_keep_size = '16MB'",
        "select pg_reload_conf()",
        *("select pg_logical_emit_message(true, 'x', 'x')", "select pg_switch_wal()", "checkpoint") * 6,
    ):
        await sold.server.execute(statement)
    assert await Restores(sold.database, utc_now).slot_lost(SLOT)


async def test_a_slot_that_was_lost_is_made_anew_and_a_base_backup_closes_the_hole(sold: Shop) -> None:
    async with keeping(sold):
        for chore in (BACKUP, WAL_ARCHIVE):
            await until(ended_after(sold, chore, datetime.min.replace(tzinfo=UTC)))
    await lose_slot(sold)
    lost_at = utc_now()
    async with keeping(sold):
        await until(ended_after(sold, WAL_ARCHIVE, lost_at))
        await until(ended_after(sold, BACKUP, lost_at))
    kept, plan = await find_plan(sold.storage, None)
    first, *_, newest = await kept.base_backups()
    assert plan.base == newest != first


async def test_before_anything_was_received_nothing_is_kept(sold: Shop) -> None:
    assert await sold.shipper.ship() == 0


async def test_a_restore_test_that_failed_is_not_repeated_at_once(sold: Shop) -> None:
    await sold.back_up_too_much()
    with capture_logs() as said:

        async def failed() -> list[bool]:
            return ["MB are needed" in each["why"] for each in said if each["event"] == "backup failed"]

        async def has_failed() -> bool:
            return bool(await failed())

        async with keeping(sold, TIME_SCALE / 4):
            await until(has_failed)
            # A failed base backup would be repeated after 1.6 s and again; the next test is due after 18 s.
            await asyncio.sleep(4)
    assert await failed() == [True]


async def test_it_goes_on_after_the_server_was_away_and_after_a_restore(sold: Shop) -> None:
    async with keeping(sold):
        for chore in (BACKUP, WAL_ARCHIVE):
            await until(ended_after(sold, chore, datetime.min.replace(tzinfo=UTC)))
        await sold.server.stop()
        await asyncio.sleep(1)
        await sold.server.start()
        await until(ended_after(sold, WAL_ARCHIVE, utc_now()))
        await sold.server.stop()
        kept, plan = await find_plan(sold.storage, None)
        await restore_into(sold.data, kept, plan, sold.owner_url, utc_now)
        await sold.server.start()
        restored_at = utc_now()
        await until(ended_after(sold, WAL_ARCHIVE, restored_at))
        await until(ended_after(sold, BACKUP, restored_at))
        assert (await kept.base_backups())[-1].start.timeline == 2


async def test_what_a_killed_run_left_is_thrown_away_and_nothing_else(sold: Shop) -> None:
    work = sold.folder / "work"
    old, new, other = (work / name for name in ("base-old", "restore-test-new", "letters"))
    for folder in (old, new, other):
        folder.mkdir(parents=True)
    for folder in (old, other):
        os.utime(folder, (0, 0))
    async with keeping(sold):
        await until(ended_after(sold, BACKUP, datetime.min.replace(tzinfo=UTC)))
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)
