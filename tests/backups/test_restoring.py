"""A backup restored on a real PostgreSQL: to its newest moment, to a given one, and not at all."""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from backups.keeping import BASE_FILES, Kept
from backups.restoring import Restored, find_plan, put_in_place, recovered, restore_into
from backups.testing import RestoreTested
from backups.testing import test_restore as run_restore_test
from clients.backups import BackupMissing, BackupStorage, BackupsUnavailable
from domain.backups import BaseBackup, CannotRestore, Segment
from domain.clock import utc_now
from domain.ids import video_id
from domain.orders import VideoState
from store.ledger import Ledger
from store.restores import Restores
from tests.backups.servers import USER, Shop, shop
from tests.store.order_rows import rows_of

BASE = BaseBackup("20261121T120000Z", "7", Segment(1, 2), Segment(1, 2), utc_now(), utc_now(), 1)

_RECEIVED = """
    select count(*) > 0 from pg_stat_replication
    where application_name = 'pg_receivewal' and write_lsn >= cast(cast($1 as text) as pg_lsn)
"""


@pytest_asyncio.fixture
async def sold() -> AsyncIterator[Shop]:
    async with shop() as opened:
        yield opened


async def received(sold: Shop) -> None:
    """Everything that was committed has reached the receiver."""
    connection = await asyncpg.connect(sold.owner_url, server_settings={"synchronous_commit": "on"})
    try:
        # Commits of this server are written a moment later, but never after one that waits for its own.
        await connection.execute("select pg_logical_emit_message(true, 'tests', '')")
        written = await connection.fetchval("select cast(pg_current_wal_lsn() as text)")
        async with asyncio.timeout(30):
            while not await connection.fetchval(_RECEIVED, written):  # noqa: ASYNC110 - another program
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def shipped(sold: Shop) -> None:
    """And is kept."""
    await received(sold)
    await sold.shipper.ship()


async def restore(sold: Shop, to: datetime | None = None) -> Restored:
    await sold.stop()
    restored = await found_and_restored(sold, to)
    await sold.start_again()
    return restored


async def balance(sold: Shop) -> int:
    return (await Ledger(sold.database, utc_now).balance(USER)).available


async def test_to_the_newest_moment_and_its_epoch_is_raised(sold: Shop) -> None:
    await sold.receiver.ensure_running()
    await sold.grant("before")
    await sold.back_up()
    await sold.grant("after")
    rows = rows_of(sold.database)
    order_id = (await rows.orders.place(await rows.draft(USER), USER)).order_id
    await shipped(sold)

    restored = await restore(sold)

    assert restored.raised.epoch.epoch == 1
    assert restored.raised.refunded == 1
    assert await balance(sold) == 2 + 3
    video = await rows_of(sold.database).videos.read(video_id(order_id, 1))
    assert video.state is VideoState.FAILED
    assert restored.kept_aside is not None
    assert (restored.kept_aside / "PG_VERSION").exists()
    assert await Restores(sold.database, utc_now).timeline() == restored.raised.epoch.timeline == 2


async def test_to_a_moment_between(sold: Shop) -> None:
    await sold.receiver.ensure_running()
    await sold.back_up()
    await sold.grant("kept")
    await asyncio.sleep(0.5)
    moment = datetime.now(UTC)
    await asyncio.sleep(0.5)
    await sold.grant("lost")
    await shipped(sold)
    restored = await restore(sold, moment)
    assert await balance(sold) == 1
    assert restored.stands_at < moment


async def test_twice_is_as_good_as_once(sold: Shop) -> None:
    await sold.receiver.ensure_running()
    await sold.back_up()
    await sold.grant("kept")
    await shipped(sold)
    await restore(sold)
    again = await restore(sold)
    assert (again.raised.epoch.epoch, again.raised.epoch.timeline) == (2, 3)
    assert await balance(sold) == 1


async def test_a_restored_server_is_backed_up_anew(sold: Shop) -> None:
    """It is on a timeline of its own: the base backups before it lead elsewhere."""
    await sold.receiver.ensure_running()
    await sold.back_up()
    await shipped(sold)
    await restore(sold)
    sold.shipper.forget_other_timelines(2)
    await sold.receiver.ensure_running()
    base = await sold.back_up()
    await sold.grant("on the new one")
    await shipped(sold)
    assert base.start.timeline == 2
    restored = await restore(sold)
    assert restored.plan.base == base
    assert await balance(sold) == 1


async def test_a_base_backup_alone_can_be_restored(sold: Shop) -> None:
    await sold.grant("kept")
    await sold.back_up()
    await restore(sold)
    assert await balance(sold) == 1


# -- what cannot be restored leaves everything as it was


async def found_and_restored(sold: Shop, to: datetime | None) -> Restored:
    kept, plan = await find_plan(sold.storage, to)
    return await restore_into(sold.data, kept, plan, sold.owner_url, utc_now)


async def refused(sold: Shop, words: str, to: datetime | None = None) -> None:
    before = sorted(each.name for each in sold.data.parent.iterdir())
    with pytest.raises(CannotRestore, match=words):
        await found_and_restored(sold, to)
    assert sorted(each.name for each in sold.data.parent.iterdir()) == before


async def test_a_server_that_runs_is_left_alone(sold: Shop) -> None:
    await sold.back_up()
    await refused(sold, "stop it first")
    assert await sold.grant("still there") == 1


async def test_a_moment_that_is_still_to_come(sold: Shop) -> None:
    await sold.receiver.ensure_running()
    await sold.back_up()
    await sold.grant("x")
    await shipped(sold)
    await sold.stop()
    await refused(sold, "ends before that moment", datetime.now(UTC) + timedelta(days=1))
    await sold.start_again()
    assert await balance(sold) == 1


async def test_nothing_is_kept(sold: Shop) -> None:
    await refused(sold, "no base backup under BACKUP_URL")


async def test_one_byte_is_wrong(sold: Shop) -> None:
    base = await sold.back_up()
    await sold.stop()
    path = sold.folder / "kept" / sold.kept.key_of(base, "base.tar.gz")
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[content.index(b"\x00" * 4096) + 2048] ^= 1
    path.write_bytes(gzip.compress(bytes(content), 1))
    await refused(sold, "damaged")


async def test_half_a_file(sold: Shop) -> None:
    base = await sold.back_up()
    await sold.stop()
    path = sold.folder / "kept" / sold.kept.key_of(base, "base.tar.gz")
    path.write_bytes(path.read_bytes()[:100_000])
    await refused(sold, "damaged")


async def test_a_base_backup_that_was_cut_off_is_none(sold: Shop) -> None:
    base = await sold.back_up()
    (sold.folder / "kept" / sold.kept.key_of(base, "backup.json")).unlink()
    await refused(sold, "no base backup under BACKUP_URL")


async def test_one_that_cannot_be_read_spoils_no_other(sold: Shop) -> None:
    whole = await sold.back_up()
    await asyncio.sleep(1)  # its name is a second
    damaged = await sold.back_up()
    (sold.folder / "kept" / sold.kept.key_of(damaged, "backup.json")).write_text('{"label": "2')
    assert await sold.kept.base_backups() == [whole]
    _, plan = await find_plan(sold.storage, None)
    assert plan.base == whole


async def test_a_manifest_that_cannot_be_read(sold: Shop) -> None:
    base = await sold.back_up()
    (sold.folder / "kept" / sold.kept.key_of(base, "backup_manifest")).write_text("{}")
    with pytest.raises(CannotRestore, match="backup_manifest cannot be read"):
        await tried(sold)
    await sold.stop()
    await refused(sold, "backup_manifest cannot be read")


async def test_what_was_cut_off_is_thrown_away_after_a_day(sold: Shop) -> None:
    whole = await sold.back_up()
    cut_off = replace(whole, label="cut-off")
    paths = [sold.folder / "kept" / sold.kept.key_of(cut_off, name) for name in BASE_FILES[:2]]
    await sold.storage.put(sold.kept.key_of(cut_off, BASE_FILES[0]), b"half")
    await sold.storage.put(sold.kept.key_of(cut_off, BASE_FILES[1]), b"half")
    assert await sold.kept.tidy(utc_now() + timedelta(hours=23)) == 0
    assert await sold.kept.tidy(utc_now() + timedelta(hours=25)) == len(paths)
    assert not any(path.exists() for path in paths)
    assert await sold.kept.base_backups() == [whole]


async def test_what_a_killed_restore_left_is_named_where_there_is_no_room(sold: Shop) -> None:
    await sold.back_up_too_much()
    await sold.stop()
    left = sold.data.with_name("data.restoring-x1")
    left.mkdir()
    await refused(sold, rf"make room; {left} is of a restore that was killed: remove it$")


async def test_a_segment_that_is_gone_ends_it_with_its_name(sold: Shop) -> None:
    await sold.receiver.ensure_running()
    await sold.back_up()
    await sold.grant("x")
    await shipped(sold)
    _, plan = await find_plan(sold.storage, None)
    (sold.folder / "kept" / plan.wal[-1].key).unlink()
    work = sold.folder / "gone"
    work.mkdir()
    with pytest.raises(BackupMissing, match="BACKUP_URL holds no"):
        async with recovered(sold.kept, plan, work, work / "data"):
            pass


async def test_a_folder_of_something_else(sold: Shop, tmp_path: Path) -> None:
    await sold.back_up()
    (tmp_path / "letters.txt").touch()
    kept, plan = await find_plan(sold.storage, None)
    with pytest.raises(CannotRestore, match="no PostgreSQL"):
        await restore_into(tmp_path, kept, plan, sold.owner_url, utc_now)


async def another_instance(sold: Shop) -> BaseBackup:
    """Newer than all others, as of an empty PostgreSQL that was made where the first was lost."""
    made = replace(BASE, started_at=utc_now(), ended_at=utc_now())
    folder = sold.folder / "another"
    folder.mkdir()
    for name in BASE_FILES:
        (folder / name).touch()
    await Kept(sold.storage, made.system_id).keep_base(made, folder)
    return made


async def test_of_two_instances_one_is_named(sold: Shop) -> None:
    base = await sold.back_up()
    other = await another_instance(sold)
    told = f"2 instances .*--system ID: {base.system_id} .*{base.bytes:,} bytes.; {other.system_id} .newest"
    await refused(sold, told)
    _, plan = await find_plan(sold.storage, None, base.system_id)
    assert plan.base == base
    with pytest.raises(CannotRestore, match=f"no base backup of instance 5 .*{base.system_id}"):
        await find_plan(sold.storage, None, "5")


async def test_what_stood_there_stands_there_again_when_nothing_takes_its_place(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.mkdir()
    (place / "PG_VERSION").touch()
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "gone", place, utc_now)
    assert [each.name for each in tmp_path.iterdir()] == ["data"]
    assert (place / "PG_VERSION").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_as_root_it_belongs_to_whom_the_place_belonged(sold: Shop) -> None:
    await sold.back_up()
    place = sold.folder / "place"
    place.mkdir()
    os.chown(place, 4711, 4712)
    kept, plan = await find_plan(sold.storage, None)
    await restore_into(place, kept, plan, sold.owner_url, utc_now)
    for path in (place, place / "PG_VERSION", place / "pg_wal"):
        assert (path.stat().st_uid, path.stat().st_gid) == (4711, 4712)


# -- the restore test


async def tried(sold: Shop) -> RestoreTested:
    system_id = await Restores(sold.database, utc_now).system_id()
    return await run_restore_test(sold.storage, system_id, sold.folder / "work", sold.owner_url, utc_now)


async def test_the_restore_test_tries_its_own_instance(sold: Shop) -> None:
    base = await sold.back_up()
    await another_instance(sold)
    assert (await tried(sold)).base == base.label


async def test_the_restore_test_looks_at_every_row_and_leaves_nothing(sold: Shop) -> None:
    await sold.receiver.ensure_running()
    await sold.grant("one")
    await sold.back_up()
    await sold.grant("two")
    await shipped(sold)
    tested = await tried(sold)
    assert tested.broken == 0
    assert tested.rows > 0
    assert tested.stands_at is not None
    assert [each.name for each in (sold.folder / "work").iterdir()] == ["wal"]
    assert (await Restores(sold.database, utc_now).last_epoch()).epoch == 0


async def test_the_restore_test_does_not_fill_the_disk(sold: Shop) -> None:
    await sold.back_up_too_much()
    with pytest.raises(CannotRestore, match=r"work has .* MB free, and .* MB are needed"):
        await tried(sold)
    assert not list((sold.folder / "work").glob("restore-test-*"))


async def test_the_restore_test_finds_rows_that_cannot_be_read(sold: Shop) -> None:
    await sold.grant("one")
    connection = await asyncpg.connect(sold.owner_url)
    await connection.execute("alter table credit_entries rename to entries_of_another")
    await connection.close()
    await sold.back_up()
    with pytest.raises(CannotRestore, match="what was restored cannot be read"):
        await tried(sold)


async def test_the_restore_test_finds_what_is_broken(sold: Shop) -> None:
    await sold.grant("one")
    async with sold.database.connection() as connection:
        await connection.execute("update wallets set available = 7")
    await sold.back_up()
    tested = await tried(sold)
    assert tested.broken == 1


async def test_an_unwritable_storage_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupsUnavailable, match="BACKUP_URL cannot be used"):
        BackupStorage(f"file://{tmp_path}/file/under")
