"""retry, refund and cancel: by the rules of bot and workflows, asked first, written down."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.workflowservice.v1 import PauseActivityRequest
from temporalio.client import Client
from temporalio.worker import Worker

from admin.workflow_facts import paused
from domain import ids
from domain.orders import VideoState
from local.temporal import TemporalServer, connect
from tests.admin.operator import Operator, Shop, first_video
from tests.run.test_starts_refused import retype
from workflows.namespace import prepare_namespace


@workflow.defn(name="AtWork", sandboxed=False)
class AtWork:
    """Waits for one activity that nobody takes."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            "fetch_photo", task_queue="nobody", schedule_to_close_timeout=timedelta(minutes=5)
        )

    @workflow.signal
    def settled(self) -> None:
        return


@asynccontextmanager
async def at_work(client: Client, workflow_id: str) -> AsyncIterator[None]:
    queue = f"at-work-{workflow_id}"
    async with Worker(client, task_queue=queue, workflows=[AtWork]):
        handle = await client.start_workflow(AtWork.run, id=workflow_id, task_queue=queue)
        try:
            yield
        finally:
            await handle.terminate("the test is over")


async def pause_an_activity(client: Client, workflow_id: str) -> None:
    """Until Temporal's list has it, too."""
    execution = WorkflowExecution(workflow_id=workflow_id)
    request = PauseActivityRequest(
        namespace=client.namespace, execution=execution, id="1", identity="olga", reason="ticket 41"
    )
    handle = client.get_workflow_handle(workflow_id)
    listed = f"WorkflowId = '{workflow_id}' AND TemporalPauseInfo IS NOT NULL"
    async with asyncio.timeout(60):
        while not (await handle.describe()).raw_description.pending_activities:  # noqa: ASYNC110 - a server's
            await asyncio.sleep(0.05)
        await client.workflow_service.pause_activity(request)
        while not (await client.count_workflows(listed)).count:  # noqa: ASYNC110 - a server's
            await asyncio.sleep(0.05)


async def states(shop: Shop, order_id: str) -> list[str]:
    videos = [await shop.rows.videos.read(each) for each in await shop.rows.videos.of_order(order_id)]
    return [video.state.value for video in videos]


@pytest.mark.parametrize("deed", ["cancel", "refund"])
async def test_without_a_terminal_nothing_is_done_unasked(shop: Shop, operator: Operator, deed: str) -> None:
    order_id = await shop.order()
    told = await operator.says(deed, order_id)
    assert told.code == 1
    assert told.err.endswith("Nobody can be asked here: say --yes\n")
    assert await states(shop, order_id) == ["OPEN"]
    assert await shop.deeds() == []


async def test_cancel_stops_what_is_not_bought_and_says_who_did_it(shop: Shop, operator: Operator) -> None:
    order_id = await shop.order(3)
    await shop.buy(first_video(order_id), "a-task")
    told = await operator.reads("cancel", order_id, "--yes", "--by", "olga")
    assert told["result"]["video_ids"] == [ids.video_id(order_id, 2), ids.video_id(order_id, 3)]
    assert told["result"]["credits_back"] == 2
    assert told["said"] == ["2 videos cancelled, 2 credits back", "1 video may be bought already, and go on"]
    assert len(told["result"]["untold"]) == 2  # neither Temporal nor Telegram is there
    assert await states(shop, order_id) == ["OPEN", "CANCELLED", "CANCELLED"]
    assert await shop.balance() == (9, 1)
    again = await operator.says("cancel", order_id, "--yes")
    assert (again.code, "all of it may be bought already" in again.err) == (1, True)
    assert await shop.deeds() == [("cancel-order", order_id, "olga")]


async def test_refund_leaves_what_may_be_bought_unless_it_is_told_to(shop: Shop, operator: Operator) -> None:
    order_id = await shop.order(3)
    bought, sending, waiting = await shop.rows.videos.of_order(order_id)
    await shop.buy(bought, "a-task")
    await shop.rows.videos.open(sending)
    await shop.rows.videos.begin_delivery(sending)
    first = await operator.reads("refund", order_id, "--yes")
    assert first["result"]["video_ids"] == [waiting]
    assert await states(shop, order_id) == ["OPEN", "DELIVERING", "FAILED"]
    refused = await operator.says("refund", order_id, "--yes")
    assert (refused.code, "--bought" in refused.err, "is being sent" in refused.err) == (1, True, True)
    second = await operator.reads("refund", order_id, "--bought", "--yes")
    assert second["result"]["video_ids"] == [bought]
    assert await states(shop, order_id) == ["FAILED", "DELIVERING", "FAILED"]
    assert await shop.balance() == (9, 1)
    assert [deed for deed, _, _ in await shop.deeds()] == ["refund-order", "refund-order"]


async def test_two_refunds_at_once_give_back_once(shop: Shop, operator: Operator) -> None:
    order_id = await shop.order()
    both = await asyncio.gather(*(operator.says("refund", order_id, "--yes") for _ in range(2)))
    assert 0 in {each.code for each in both}
    assert await shop.balance() == (10, 0)
    assert {deed for deed, _, _ in await shop.deeds()} == {"refund-order"}


async def test_a_deed_that_is_done_is_told_though_temporal_is_set_up_wrong(
    shop: Shop, operator: Operator, temporal_server: TemporalServer
) -> None:
    client = await connect(temporal_server.address, "set-up-wrong")
    await prepare_namespace(client)
    await retype(client, "OrderStage", IndexedValueType.INDEXED_VALUE_TYPE_INT)
    where = {"TEMPORAL_ADDRESS": temporal_server.address, "TEMPORAL_NAMESPACE": client.namespace}
    wrong = Operator({**operator.settings, **where})
    for deed in ("refund", "cancel"):
        told = await wrong.says(deed, await shop.order(), "--yes", "--json")
        assert (told.code, json.loads(told.out)["result"]["credits_back"]) == (0, 1), told
    stuck = await wrong.says("stuck")
    assert (stuck.code, "Temporal was not asked" in stuck.out) == (1, True), stuck
    assert [deed for deed, _, _ in await shop.deeds()] == ["refund-order", "cancel-order"]


async def test_what_was_delivered_is_not_refunded(shop: Shop, operator: Operator) -> None:
    order_id = await shop.order()
    await shop.rows.videos.settle(first_video(order_id), VideoState.DELIVERED)
    told = await operator.says("refund", order_id, "--bought", "--yes")
    assert (told.code, "grant" in told.err) == (1, True)
    assert await shop.balance() == (9, 0)


async def test_what_failed_is_tried_again_only_as_a_new_order(shop: Shop, operator: Operator) -> None:
    order_id = await shop.order()
    await shop.rows.videos.settle(first_video(order_id), VideoState.FAILED)
    told = await operator.says("retry", order_id)
    assert (told.code, "only as a new order" in told.err) == (1, True)


async def test_retry_starts_what_was_never_started(
    shop: Shop, well_connected: Operator, prepared_temporal: Client
) -> None:
    order_id = await shop.order()
    told = await well_connected.says("retry", order_id)
    handle = prepared_temporal.get_workflow_handle(ids.order_workflow_id(order_id))
    info = (await handle.describe()).raw_info
    await handle.terminate("the test is over")
    assert (told.code, told.out) == (0, "its workflow is started\n")
    assert info.type.name == "VideoOrder"
    assert await shop.rows.orders.unstarted(older_than=-timedelta(days=1)) == []


async def test_retry_wakes_what_waits_and_sends_what_waits_for_its_user(
    shop: Shop, well_connected: Operator, prepared_temporal: Client
) -> None:
    order_id = await shop.order(3)
    await shop.rows.orders.mark_started(order_id)
    waiting, woken, unbegun = await shop.rows.videos.of_order(order_id)
    await shop.rows.videos.settle(waiting, VideoState.WAITING)
    async with at_work(prepared_temporal, ids.video_workflow_id(woken)):
        told = await well_connected.reads("retry", order_id)
        handle = prepared_temporal.get_workflow_handle(ids.resend_workflow_id(waiting))
        await handle.terminate("the test is over")
    assert told["said"][0].startswith("1 video woken")
    assert told["said"][1].startswith("1 video sent again")
    assert told["result"]["video_ids"] == [woken, waiting], unbegun
    assert [deed for deed, _, _ in await shop.deeds()] == ["retry-order"]


async def test_retry_says_that_there_is_nobody_to_wake(shop: Shop, well_connected: Operator) -> None:
    order_id = await shop.order()
    await shop.rows.orders.mark_started(order_id)
    told = await well_connected.says("retry", order_id)
    assert (told.code, "no video of it has a workflow now" in told.err) == (1, True)
    assert await shop.deeds() == []


async def test_a_paused_activity_is_named_with_what_lets_it_go_on(
    shop: Shop, well_connected: Operator, prepared_temporal: Client
) -> None:
    order_id = await shop.order()
    await shop.rows.orders.mark_started(order_id)
    workflow_id = ids.order_workflow_id(order_id)
    undo = f"temporal activity unpause -w {workflow_id} --activity-id 1"
    async with at_work(prepared_temporal, workflow_id):
        await pause_an_activity(prepared_temporal, workflow_id)
        (pause,) = await paused(prepared_temporal, 50)
        retried, stuck, screen = await asyncio.gather(
            well_connected.says("retry", order_id),
            well_connected.says("stuck"),
            well_connected.says("order", order_id),
        )
    assert (pause.activity, pause.by, pause.undo) == ("fetch_photo", "olga: ticket 41", undo)
    assert (retried.code, stuck.code, screen.code) == (1, 1, 0)
    assert f"fetch_photo is paused by olga: ticket 41: {undo}" in retried.err
    for told in (stuck, screen):
        assert "fetch_photo" in told.out
        assert "olga:ticket41" in "".join(told.out.split())
        assert "unpause" in told.out
        assert "--activity-id" in told.out
    assert await shop.deeds() == []


async def test_retry_without_temporal_changes_nothing(shop: Shop, operator: Operator) -> None:
    order_id = await shop.order()
    told = await operator.says("retry", order_id)
    assert (told.code, told.err.count("\n")) == (1, 1)
    assert "Temporal at 127.0.0.1:9" in told.err
    assert await shop.deeds() == []
