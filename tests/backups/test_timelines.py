"""A restore, and another one: each begins a timeline of its own, and brings back no world that was left."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
import pytest_asyncio

from backups.keeper import BACKUP, WAL_ARCHIVE
from backups.restoring import Restored, find_plan, restore_into
from domain.clock import utc_now
from store.restores import Restores
from tests.backups.servers import Shop, shop
from tests.backups.test_keeper import ended_after, keeping, until
from tests.backups.test_restoring import balance, restore, shipped

pytestmark = pytest.mark.timeout(400)


@pytest_asyncio.fixture
async def sold() -> AsyncIterator[Shop]:
    async with shop() as opened:
        yield opened


async def sell(sold: Shop, *names: str) -> datetime:
    """A moment after which nothing of it is missing."""
    for name in names:
        await sold.grant(name)
    return datetime.now(UTC)


async def kept_by_the_keeper(sold: Shop) -> None:
    """A base backup of what stands there now, and WAL up to now."""
    since = utc_now()
    async with keeping(sold):
        await until(ended_after(sold, BACKUP, since))
        await until(ended_after(sold, WAL_ARCHIVE, utc_now()))


async def timeline(sold: Shop) -> int:
    return await Restores(sold.database, utc_now).timeline()


async def test_a_world_that_was_left_never_comes_back(sold: Shop) -> None:
    """Restored, sold on, backed up, and restored to a moment before: what came between is gone for good."""
    await sold.grant("kept")
    await kept_by_the_keeper(sold)
    await restore(sold)
    before = await sell(sold, "kept, too")
    await kept_by_the_keeper(sold)
    await sell(sold, "a mistake", "another one")
    async with keeping(sold):
        await until(ended_after(sold, WAL_ARCHIVE, utc_now()))

    await restore(sold, before)
    assert (await timeline(sold), await balance(sold)) == (3, 2)
    await sell(sold, *(f"of the new world {number}" for number in range(4)))
    await kept_by_the_keeper(sold)

    await restore(sold)
    assert (await timeline(sold), await balance(sold)) == (4, 6)


async def test_what_is_sold_after_a_restore_is_safe_before_the_next_base_backup(sold: Shop) -> None:
    await sold.receiver.ensure_running()
    base = await sold.back_up()
    moment = await sell(sold, "kept")
    await sell(sold, "a mistake")
    await shipped(sold)
    await restore(sold, moment)

    sold.shipper.forget_other_timelines(2)
    await sold.receiver.ensure_running()
    await sell(sold, "after it", "after it, too")
    await shipped(sold)

    restored = await restore(sold)
    assert restored.plan.base == base
    assert (await timeline(sold), await balance(sold)) == (3, 3)


async def test_the_restored_world_is_the_newest_before_anything_was_received_of_it(sold: Shop) -> None:
    """Its disk is lost at once: restored again it is the same, and not the one that had been left."""
    await sold.receiver.ensure_running()
    await sold.back_up()
    moment = await sell(sold, "kept")
    await sell(sold, "a mistake")
    await shipped(sold)
    await restore(sold, moment)
    await restore(sold)
    assert (await timeline(sold), await balance(sold)) == (3, 1)
    assert (await Restores(sold.database, utc_now).last_epoch()).epoch == 2


async def test_a_restore_can_be_undone(sold: Shop) -> None:
    """What stood there before is put back: it lives on, and is the newest again."""
    await sold.grant("kept")
    await kept_by_the_keeper(sold)
    restored = await restore(sold)
    await sold.stop()
    assert restored.kept_aside is not None
    shutil.rmtree(sold.data)
    restored.kept_aside.rename(sold.data)
    await sold.start_again()
    await sell(sold, "after all")
    async with keeping(sold):
        await until(ended_after(sold, WAL_ARCHIVE, utc_now()))
    assert await timeline(sold) == 1
    await restore(sold)
    assert (await timeline(sold), await balance(sold)) == (3, 2)


async def write_to_both(sold: Shop, other: asyncpg.Connection, number: int) -> None:
    """Temporal's first, then ours, as an order is begun."""
    await other.execute("insert into executions values ($1)", number)
    await sold.grant(f"order {number}")


async def test_the_databases_of_an_instance_are_restored_to_one_moment(sold: Shop) -> None:
    await sold.server.create_database("temporal")
    other = await asyncpg.connect(sold.server.url("temporal"))
    await other.execute("create table executions (number int)")
    await sold.receiver.ensure_running()
    await sold.back_up()
    for number in range(5):
        await write_to_both(sold, other, number)
    moment = datetime.now(UTC)
    for number in range(5, 9):
        await write_to_both(sold, other, number)
    await other.close()
    await shipped(sold)

    restored = await restored_to(sold, moment)

    other = await asyncpg.connect(sold.server.url("temporal"))
    executions = await other.fetchval("select count(*) from executions")
    await other.close()
    assert (executions, await balance(sold)) == (5, 5)
    assert restored.stands_at <= moment


async def restored_to(sold: Shop, moment: datetime) -> Restored:
    await sold.stop()
    kept, plan = await find_plan(sold.storage, moment)
    restored = await restore_into(sold.data, kept, plan, sold.owner_url, utc_now)
    await sold.start_again()
    return restored
