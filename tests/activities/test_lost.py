"""What stands open is settled once its workflow is surely over, and never while somebody may work on it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contracts import Nothing, SettleResult, VideoRef
from activities.lost import Graces, LostWorkActivities, WorkflowEnds
from activities.payloads import LostOrder, LostWork
from domain import ids
from domain.clock import utc_now
from domain.failures import Failure, FailureClass
from domain.orders import MessagePurpose, MessageState, VideoState
from domain.policy import OrderPolicy
from local.processes import free_port
from local.temporal import TemporalServer
from store.database import Database
from store.lost_work import LostWorkRows
from store.messages import MessageKey
from store.stores import Stores, build_stores
from tests.fixtures.kie_rows import HandClock
from tests.store.order_rows import Rows, rows_of
from workflows.registry import DATA_CONVERTER

USER = 1
GRACES = Graces.of(OrderPolicy())
LATER_SECONDS = 10 * 60


@dataclass
class Rig:
    """Orders as the bot placed and started them; workflows without anybody who works on them."""

    client: Client
    rows: Rows
    stores: Stores
    clock: HandClock
    activities: LostWorkActivities
    database: Database

    async def order(self, video_count: int = 1, *, started: bool = True, runs: bool = True) -> list[str]:
        await self.rows.users.register(USER, "en")
        placed = await self.rows.orders.place(await self.rows.draft(USER, video_count), USER)
        if started:
            await self.rows.orders.mark_started(placed.order_id)
        if runs:
            await self.run(ids.order_workflow_id(placed.order_id))
        return await self.rows.videos.of_order(placed.order_id)

    async def opened(self, *, runs: bool = True) -> str:
        """Of an order whose workflow lives, by a workflow of its own."""
        (video_id,) = await self.order()
        await self.rows.videos.open(video_id)
        if runs:
            await self.run(ids.video_workflow_id(video_id))
        return video_id

    async def run(self, workflow_id: str) -> None:
        reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE
        await self.client.start_workflow("Nobody", id=workflow_id, task_queue="nobody", id_reuse_policy=reuse)

    async def terminate(self, workflow_id: str) -> None:
        await self.client.get_workflow_handle(workflow_id).terminate()

    async def buy(self, video_id: str, state: str) -> None:
        async with self.database.connection() as connection:
            await connection.execute(
                """insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state,
                                         kie_task_id, task_state, admitted_at)
                   select $1 || '-a1', $1, user_id, 1, 'm', 'a', 'k', $2,
                          case $2 when 'ACCEPTED' then 't' end,
                          case $2 when 'ACCEPTED' then 'RUNNING' end, now()
                   from videos where id = $1""",
                video_id, state,
            )  # fmt: skip

    async def lost(self) -> LostWork:
        found: LostWork = await ActivityEnvironment().run(self.activities.list_lost, Nothing())
        return found

    async def settle(self, video_id: str) -> SettleResult:
        ref = VideoRef(video_id=video_id)
        settled: SettleResult = await ActivityEnvironment().run(self.activities.settle_lost, ref)
        return settled

    async def balance(self) -> tuple[int, int]:
        now = await self.rows.ledger.balance(USER)
        return now.available, now.reserved


def activities_on(client: Client, database: Database, stores: Stores, clock: HandClock) -> LostWorkActivities:
    return LostWorkActivities(LostWorkRows(database), stores, WorkflowEnds(client), clock, GRACES)


@pytest_asyncio.fixture
async def rig(database: Database, temporal_client: Client) -> AsyncIterator[Rig]:
    clock = HandClock(utc_now())
    stores = build_stores(database, clock, OrderPolicy())
    activities = activities_on(temporal_client, database, stores, clock)
    yield Rig(temporal_client, rows_of(database, 20), stores, clock, activities, database)


async def test_what_somebody_works_on_is_left_alone(rig: Rig) -> None:
    await rig.order(3)
    await rig.opened()
    await rig.order(started=False, runs=False)  # the sweeper's
    rig.clock.forward(LATER_SECONDS)
    assert await rig.lost() == LostWork()


async def test_a_terminated_video_is_refunded_after_its_grace(rig: Rig) -> None:
    video_id = await rig.opened()
    before = await rig.balance()
    await rig.terminate(ids.video_workflow_id(video_id))
    rig.clock.forward(GRACES.ended.total_seconds() - 10)
    assert await rig.lost() == LostWork(), "somebody may be about to reset it"
    rig.clock.forward(70)
    assert (await rig.lost()).video_ids == (video_id,)
    settled = await rig.settle(video_id)
    assert (settled.state, settled.captured, settled.won) == (VideoState.FAILED, False, True)
    assert await rig.balance() == (before[0] + 1, before[1] - 1)
    again = await rig.settle(video_id)
    assert (again.state, again.won) == (VideoState.FAILED, False)
    assert (await rig.lost()).video_ids == ()


async def test_the_current_run_counts(rig: Rig) -> None:
    video_id = await rig.opened()
    await rig.terminate(ids.video_workflow_id(video_id))
    await rig.run(ids.video_workflow_id(video_id))
    rig.clock.forward(LATER_SECONDS)
    assert await rig.lost() == LostWork()


async def test_a_video_whose_workflow_was_deleted_is_lost_a_little_later(rig: Rig) -> None:
    video_id = await rig.opened(runs=False)
    rig.clock.forward(GRACES.ended.total_seconds() + 10)
    assert await rig.lost() == LostWork()
    rig.clock.forward(GRACES.missing.total_seconds())
    assert (await rig.lost()).video_ids == (video_id,)


@pytest.mark.parametrize("state", ["SENDING", "AMBIGUOUS", "ACCEPTED"])
async def test_what_may_be_bought_waits_for_a_reset_or_its_deadline(rig: Rig, state: str) -> None:
    video_id = await rig.opened()
    await rig.buy(video_id, state)
    await rig.terminate(ids.video_workflow_id(video_id))
    rig.clock.forward(LATER_SECONDS)
    assert await rig.lost() == LostWork(bought_video_ids=(video_id,))
    before = await rig.balance()
    settled = await rig.settle(video_id)
    assert (settled.state, settled.won) == (VideoState.OPEN, False), "bought since it was listed"
    assert await rig.balance() == before


async def test_a_refused_attempt_keeps_nobody_from_the_refund(rig: Rig) -> None:
    video_id = await rig.opened()
    await rig.buy(video_id, "REJECTED")
    await rig.terminate(ids.video_workflow_id(video_id))
    rig.clock.forward(LATER_SECONDS)
    assert (await rig.lost()).video_ids == (video_id,)
    assert (await rig.settle(video_id)).state is VideoState.FAILED


async def test_a_delivery_that_may_have_arrived_is_captured_when_its_last_send_is_over(rig: Rig) -> None:
    video_id = await rig.opened()
    await rig.rows.videos.begin_delivery(video_id)
    key = MessageKey(ids.order_id_of_video(video_id), MessagePurpose.DELIVERY, 1)
    await rig.stores.messages.begin(key, USER)
    await rig.terminate(ids.video_workflow_id(video_id))
    rig.clock.forward(GRACES.ended.total_seconds() + 10)
    assert await rig.lost() == LostWork(), "its activity may still be sending"
    rig.clock.forward(GRACES.ended_sending.total_seconds())
    assert (await rig.lost()).video_ids == (video_id,)
    settled = await rig.settle(video_id)
    assert (settled.state, settled.captured) == (VideoState.DELIVERED, True)


async def test_a_delivery_that_telegram_refused_is_refunded(rig: Rig) -> None:
    video_id = await rig.opened()
    await rig.rows.videos.begin_delivery(video_id)
    key = MessageKey(ids.order_id_of_video(video_id), MessagePurpose.DELIVERY, 1)
    await rig.stores.messages.begin(key, USER)
    await rig.stores.messages.finish(key, MessageState.REFUSED)
    assert (await rig.settle(video_id)).state is VideoState.FAILED


async def test_a_delivery_without_any_workflow_has_all_the_time_of_a_sending(rig: Rig) -> None:
    video_id = await rig.opened(runs=False)
    await rig.rows.videos.begin_delivery(video_id)
    rig.clock.forward(LATER_SECONDS)
    assert await rig.lost() == LostWork()
    await rig.rows.videos.keep_result(video_id, "k", 1, 1, 1.0)
    rig.clock.forward(GRACES.missing_sending.total_seconds())
    assert (await rig.lost()).video_ids == (video_id,)


async def test_an_order_lost_before_its_videos_were_begun(rig: Rig) -> None:
    first, second, third = await rig.order(3)
    await rig.run(ids.video_workflow_id(second))  # started, and has not opened its row yet
    await rig.terminate(ids.order_workflow_id(ids.order_id_of_video(first)))
    rig.clock.forward(LATER_SECONDS)
    assert set((await rig.lost()).video_ids) == {first, third}
    await rig.terminate(ids.video_workflow_id(second))
    rig.clock.forward(LATER_SECONDS)
    assert set((await rig.lost()).video_ids) == {first, second, third}


async def test_an_order_is_closed_after_its_last_video(rig: Rig) -> None:
    first, *others = await rig.order(3)
    order_id = ids.order_id_of_video(first)
    await rig.terminate(ids.order_workflow_id(order_id))
    for video_id in others:
        await rig.rows.videos.settle(video_id, VideoState.DELIVERED)
    rig.clock.forward(LATER_SECONDS)
    assert await rig.lost() == LostWork(video_ids=(first,))
    await rig.rows.videos.settle(first, VideoState.FAILED, Failure(FailureClass.UNKNOWN))
    assert await rig.lost() == LostWork(orders=(LostOrder(order_id=order_id, video_count=3),))
    await rig.rows.orders.close(order_id)
    assert await rig.lost() == LostWork()


async def test_an_order_whose_workflow_is_about_to_close_it_is_left_to_it(rig: Rig) -> None:
    videos = await rig.order(3)
    for video_id in videos:
        await rig.rows.videos.settle(video_id, VideoState.DELIVERED)
    rig.clock.forward(LATER_SECONDS)
    assert await rig.lost() == LostWork()


async def test_past_its_deadline_it_is_housekeepings(rig: Rig) -> None:
    video_id = await rig.opened()
    await rig.terminate(ids.video_workflow_id(video_id))
    rig.clock.forward(timedelta(hours=2).total_seconds())
    assert await rig.lost() == LostWork()


@pytest.mark.parametrize("namespace", ["", "of somebody else"], ids=["nobody there", "a foreign namespace"])
async def test_while_temporal_does_not_know_us_nothing_is_lost(
    rig: Rig, temporal_server: TemporalServer, namespace: str
) -> None:
    await rig.opened(runs=False)
    rig.clock.forward(LATER_SECONDS)
    address = temporal_server.address if namespace else f"127.0.0.1:{free_port()}"
    away = await Client.connect(
        address, namespace=namespace or "default", data_converter=DATA_CONVERTER, lazy=True
    )
    activities = activities_on(away, rig.database, rig.stores, rig.clock)
    with pytest.raises(ApplicationError, match="Temporal cannot be reached"):
        await ActivityEnvironment().run(activities.list_lost, Nothing())
