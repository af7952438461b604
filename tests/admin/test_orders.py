"""`order`: the whole story on one screen, by whatever id somebody has at hand."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from admin.naming import order_id_in
from domain import ids
from domain.clock import utc_now
from domain.orders import MessagePurpose, VideoState
from store.messages import MessageKey, Messages
from tests.admin.operator import KLING, Operator, Shop, first_video
from tests.run.programs import START_SECONDS_MAX

TASK = "b178cb79acac0ddb4032a373acf3962c"
FORBIDDEN = "The request was refused by the content policy"


@pytest.mark.parametrize(
    "named", ["{}", "{}-v2", "{}-v2-a3", "order-{}", "order-{}-v1", "resend-{}-v1", " {} "]
)
def test_every_id_says_which_order_is_meant(named: str) -> None:
    order_id = "0123456789abcdef0123"
    assert order_id_in(named.format(order_id)) == order_id
    assert order_id_in(named.format(f"{order_id}0")) is None


async def test_the_whole_story_is_on_one_screen(shop: Shop, operator: Operator) -> None:
    order_id = await shop.order(3)
    await shop.fail(first_video(order_id), TASK, FORBIDDEN)
    failed, second, _ = await shop.rows.videos.of_order(order_id)
    await shop.rows.videos.settle(failed, VideoState.FAILED)
    await shop.buy(second, "another-task")
    key = MessageKey(order_id, MessagePurpose.DELIVERY, 2)
    await Messages(shop.database, utc_now).begin(key, 1, 7)
    told = await operator.says("order", TASK)
    screen = told.out
    assert told.code == 0
    for fact in (
        f"order {order_id}   OPEN for",
        "own, 3 videos, 3 credits",
        "8 available, 2 reserved",
        "1 refunded",
        "2       OPEN        1 held",
        f"FAIL: USER_VIOLATION (content, 400), 55 KIE credits; KIE: {FORBIDDEN[:20]}",
        "KIE task another-task",
        KLING,
        "refund of video 1: 1 credit; then 8 available, 2 reserved",
        "message delivery SENDING",
        "Temporal was not asked: cannot go on without Temporal at 127.0.0.1:9",
    ):
        assert " ".join(fact.split()) in " ".join(screen.split()), fact


async def test_the_same_for_programs(shop: Shop, operator: Operator) -> None:
    order_id = await shop.order()
    await shop.buy(first_video(order_id), TASK)
    told = await operator.reads("order", TASK)
    assert told["story"]["order"]["id"] == order_id
    assert told["story"]["attempts"][0]["kie_task_id"] == TASK
    assert [entry["kind"] for entry in told["story"]["entries"]] == ["reserve"]
    assert told["events"][0]["said"] == "tapped: 1 video"
    assert told["events"][0]["at"].endswith(("Z", "+00:00"))
    assert told["workflows"] == []
    assert "Temporal at" in told["temporal"]


async def test_what_is_no_order_is_one_sentence(operator: Operator) -> None:
    nonsense, unknown = await asyncio.gather(
        operator.says("order", "'; drop table orders; --"), operator.says("order", "0" * 20)
    )
    assert (nonsense.code, unknown.code) == (1, 1)
    assert "is no order, video, workflow or KIE task of ours" in nonsense.err
    assert unknown.err == f"there is no order {'0' * 20} in this database\n"


# -- with a workflow that waits and fails -----------------------------------------------------------


@activity.defn(name="create_kie_task")
async def refuse() -> None:
    raise ApplicationError("Server exception, please try again later", type="TEMPORARY")


@workflow.defn(name="Video")
class Refused:
    @workflow.run
    async def run(self) -> None:
        workflow.set_current_details("creating a KIE task on `alpha`")
        pause = timedelta(hours=1)
        await workflow.execute_activity(
            refuse, start_to_close_timeout=pause, retry_policy=RetryPolicy(initial_interval=pause)
        )


@pytest.mark.timeout(900)  # several programs, one after the other
async def test_what_a_workflow_waits_for_stands_there(
    shop: Shop, well_connected: Operator, prepared_temporal: Client
) -> None:
    order_id = await shop.order()
    workflow_id = ids.video_workflow_id(first_video(order_id))
    worker = Worker(
        prepared_temporal,
        task_queue=order_id,
        workflows=[Refused],
        activities=[refuse],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        handle = await prepared_temporal.start_workflow(Refused.run, id=workflow_id, task_queue=order_id)
        told = await _pending(well_connected, workflow_id)
        await handle.terminate("the test is over")
    ended = await well_connected.says("order", order_id)
    assert "create_kie_task SCHEDULED, try 2, again in" in told
    assert "TEMPORARY: Server exception" in told
    assert "creating a KIE task on `alpha`" in told
    assert "TERMINATED" in ended.out
    assert f"order-{order_id}  not begun" in " ".join(ended.out.split()).replace(" not", "  not")
    assert "MISSING" not in ended.out


async def _pending(operator: Operator, workflow_id: str) -> str:
    """The screen in one line, once the first try has failed."""
    async with asyncio.timeout(3 * START_SECONDS_MAX):
        while True:
            screen = " ".join((await operator.says("order", workflow_id)).out.split())
            if "try 2" in screen:
                return screen
