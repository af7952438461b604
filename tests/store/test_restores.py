"""A restore raises the epoch, and what was ordered before it is ended in the same transaction."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from domain import ids
from domain.clock import utc_now
from domain.credits import Balance
from domain.failures import FailureReason
from domain.orders import MessagePurpose, MessageState, VideoState
from store.attempts import Attempts
from store.database import Database
from store.invariants import Invariants
from store.messages import MessageKey, Messages
from store.restores import Restores
from store.videos import AlreadySettled, Videos
from tests.store.order_rows import Rows, rows_of

USER = 1
MOMENT = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
GRACE, OWED = timedelta(minutes=2), timedelta(minutes=17)


@dataclass
class Restored:
    """`restores` as the owner, `rows` as a program."""

    database: Database
    owner: Database
    rows: Rows
    restores: Restores

    async def order(self, video_count: int = 1) -> list[str]:
        placed = await self.rows.orders.place(await self.rows.draft(USER, video_count), USER)
        await self.rows.orders.mark_started(placed.order_id)
        return await self.rows.videos.of_order(placed.order_id)

    async def states(self, video_ids: list[str]) -> list[VideoState]:
        return [(await self.rows.videos.read(video_id)).state for video_id in video_ids]

    async def run(self, statement: str, *given: object) -> None:
        async with self.owner.connection() as connection:
            await connection.execute(statement, *given)

    async def untold_after(self, later: timedelta) -> list[str]:
        videos = Videos(self.database, self.rows.ledger, lambda: utc_now() + later)
        return await videos.untold(GRACE, OWED)


@pytest_asyncio.fixture
async def restored(database: Database, owner_url: str) -> AsyncIterator[Restored]:
    owner = await Database.connect(owner_url)
    yield Restored(database, owner, rows_of(database, welcome_credits=20), Restores(owner, utc_now))
    await owner.close()


async def test_what_was_open_is_refunded_and_what_was_being_sent_is_captured(restored: Restored) -> None:
    opened, delivering, delivered = await restored.order(3)
    (untouched,) = await restored.order()
    await restored.rows.videos.open(opened)
    await restored.rows.videos.begin_delivery(delivering)
    await restored.rows.videos.settle(delivered, VideoState.DELIVERED)

    raised = await restored.restores.raise_epoch(MOMENT)

    assert (raised.epoch.epoch, raised.epoch.restored_to, raised.epoch.payments_read_at) == (1, MOMENT, None)
    assert (raised.orders, raised.captured, raised.refunded) == (2, 1, 2)
    assert await restored.states([opened, delivering, delivered, untouched]) == [
        VideoState.FAILED,
        VideoState.DELIVERED,
        VideoState.DELIVERED,
        VideoState.FAILED,
    ]
    assert (await restored.rows.videos.read(opened)).failure_reason is FailureReason.RESTORED
    assert await restored.rows.ledger.balance(USER) == Balance(18, 0)
    assert await restored.rows.orders.retryable_count(ids.order_id_of_video(opened)) == 1


async def test_the_invariants_hold_afterwards(restored: Restored) -> None:
    first, *_ = await restored.order(3)
    await restored.rows.videos.begin_delivery(first)
    await restored.order()
    await restored.restores.raise_epoch(None)
    checked = await Invariants(restored.database, utc_now).check(complete=True, ids_max=9)
    assert not checked.broken


async def test_what_was_closed_before_stays_as_it_was(restored: Restored) -> None:
    (video_id,) = await restored.order()
    await restored.rows.videos.settle(video_id, VideoState.WAITING)
    raised = await restored.restores.raise_epoch(None)
    assert raised.orders == 0
    assert await restored.states([video_id]) == [VideoState.WAITING]


async def test_orders_after_it_are_of_the_new_epoch(restored: Restored) -> None:
    await restored.restores.raise_epoch(None)
    (video_id,) = await restored.order()
    assert (await restored.rows.videos.open(video_id)).state is VideoState.OPEN


async def test_an_open_video_of_an_older_epoch_is_nobodys_work(restored: Restored) -> None:
    """However it came to be open: nothing is bought for it and nothing is sent."""
    (video_id,) = await restored.order()
    await restored.restores.raise_epoch(None)
    await restored.run("update videos set state = 'OPEN' where id = $1", video_id)
    for step in (restored.rows.videos.open, restored.rows.videos.begin_delivery):
        with pytest.raises(AlreadySettled):
            await step(video_id)
    await restored.run(
        "insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state,"
        " admitted_at) select id || '-a1', id, user_id, 1, 'm', 'a', 'k', 'INTENT', now() from videos"
    )
    with pytest.raises(AlreadySettled):
        await Attempts(restored.database, utc_now).begin_create(f"{video_id}-a1")


async def test_everybody_is_told_however_long_the_programs_stood_still(restored: Restored) -> None:
    (refunded,) = await restored.order()
    (sent,) = await restored.order()
    await restored.rows.videos.begin_delivery(sent)
    (told,) = await restored.order()
    await restored.restores.raise_epoch(None)
    messages = Messages(restored.database, utc_now)
    key = MessageKey(ids.order_id_of_video(told), MessagePurpose.FAILURE, 1)
    await messages.begin(key, USER)
    await messages.finish(key, MessageState.SENT, 7)

    assert set(await restored.untold_after(timedelta(hours=5))) == {refunded, sent}
    assert await restored.untold_after(timedelta(days=2)) == []


async def test_an_order_of_several_is_left_for_its_closing_card(restored: Restored) -> None:
    """Its workflow, or whoever finds it without one, closes it and says how it ended."""
    video_ids = await restored.order(3)
    await restored.restores.raise_epoch(None)
    order = await restored.rows.orders.read(ids.order_id_of_video(video_ids[0]))
    assert order.state == "OPEN"
    assert (await restored.restores.raise_epoch(None)).refunded == 0  # nothing is ended twice


async def test_a_tap_in_the_same_moment_waits_and_is_of_the_new_epoch(restored: Restored) -> None:
    draft = await restored.rows.draft(USER)
    async with restored.owner.transaction() as connection:
        await connection.execute("lock table drafts, videos, orders in exclusive mode")
        tap = asyncio.create_task(restored.rows.orders.place(draft, USER))
        await asyncio.sleep(0.2)
        assert not tap.done()
        await connection.execute("insert into epochs (epoch, raised_at) values (1, now())")
    await tap
    async with restored.database.connection() as connection:
        assert await connection.fetchval("select epoch from orders where id = $1", draft) == 1


async def test_payments_are_unread_until_somebody_has_read_them(restored: Restored) -> None:
    programs = Restores(restored.database, utc_now)
    assert not await programs.payments_unread()
    await restored.restores.raise_epoch(None)
    assert await programs.payments_unread()
    await programs.mark_payments_read()
    assert not await programs.payments_unread()


async def test_a_broadcast_under_way_is_cancelled(restored: Restored) -> None:
    await restored.run(
        "insert into broadcasts (id, text_ru, text_en, created_at, users_total, until_user_id)"
        " values ('b', 'r', 'e', now(), 1, 1)"
    )
    await restored.restores.raise_epoch(None)
    async with restored.owner.connection() as connection:
        assert await connection.fetchval("select state from broadcasts") == "CANCELLED"


async def test_a_program_may_not_raise_it(restored: Restored) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await Restores(restored.database, utc_now).raise_epoch(None)


async def test_the_server_says_who_it_is(restored: Restored) -> None:
    programs = Restores(restored.database, utc_now)
    assert int(await programs.system_id()) > 0
    assert await programs.timeline() == (await programs.last_epoch()).timeline == 1
    assert await programs.stands_at() is None
