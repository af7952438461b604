"""A broadcast goes on behind whatever happened, waits when it is told to, and hears a cancel at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import contracts
from activities.contracts import TaskQueue
from activities.payloads import BroadcastProgress, BroadcastRef, SendBroadcast
from domain.policy import OrderPolicy
from workflows.broadcasting import Broadcast
from workflows.contracts import BroadcastInput, BroadcastResult
from workflows.registry import ALL_WORKFLOWS, workflow_runner

DONE = BroadcastProgress(state="DONE", users_total=9, sent=6, blocked=2, unknown=1)
CANCELLED = BroadcastProgress(state="CANCELLED", users_total=9, sent=2)


def running(sent: int = 1, pause_seconds: float = 0.0, trouble: str = "") -> BroadcastProgress:
    return BroadcastProgress(
        state="RUNNING", users_total=9, sent=sent, pause_seconds=pause_seconds, trouble=trouble
    )


@dataclass
class Telegram:
    """Answers in order, the last one for ever."""

    answers: list[BroadcastProgress]
    asked: list[int] = field(default_factory=list)
    cancelled: int = 0

    def answer(self, request: SendBroadcast) -> BroadcastProgress:
        self.asked.append(request.users_max)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def playing(env: WorkflowEnvironment, telegram: Telegram) -> AsyncIterator[None]:
    @activity.defn(name=contracts.SEND_BROADCAST.name)
    async def send_broadcast(request: SendBroadcast) -> BroadcastProgress:
        return telegram.answer(request)

    @activity.defn(name=contracts.CANCEL_BROADCAST.name)
    async def cancel_broadcast(_: BroadcastRef) -> BroadcastProgress:
        telegram.cancelled += 1
        telegram.answers = [CANCELLED]
        return CANCELLED

    served: Sequence[Any] = [send_broadcast, cancel_broadcast]
    orders = Worker(
        env.client, task_queue=TaskQueue.ORDERS, workflows=ALL_WORKFLOWS, workflow_runner=workflow_runner()
    )
    async with orders, Worker(env.client, task_queue=TaskQueue.TELEGRAM, activities=served):
        yield


async def started(client: Client, steps_max: int = 500) -> WorkflowHandle[Broadcast, BroadcastResult]:
    return await client.start_workflow(
        Broadcast.run,
        BroadcastInput(broadcast_id="b", policy=OrderPolicy(), steps_max=steps_max),
        id=uuid4().hex,
        task_queue=TaskQueue.ORDERS,
    )


async def lasted(handle: WorkflowHandle[Any, Any]) -> timedelta:
    described = await handle.describe()
    assert described.close_time
    return described.close_time - described.start_time


async def until_asked(telegram: Telegram, times: int) -> None:
    while len(telegram.asked) < times:  # noqa: ASYNC110 - a real worker calls it, not this task
        await asyncio.sleep(0.02)


async def test_stretch_after_stretch_and_progress_in_words(skipping_env: WorkflowEnvironment) -> None:
    telegram = Telegram([running(2), running(4), DONE])
    async with playing(skipping_env, telegram):
        handle = await started(skipping_env.client)
        result = await handle.result()
        details = str(await handle.query("__temporal_workflow_metadata"))
    assert result == BroadcastResult(outcome="done", users_total=9, sent=6, blocked=2, unknown=1)
    assert telegram.asked == [200] * 3
    for words in ("done", "to 9 users", "6 sent", "2 have blocked the bot", "1 without an answer"):
        assert words in details


async def test_what_telegram_asks_for_is_waited_and_trouble_longer_each_time(
    skipping_env: WorkflowEnvironment,
) -> None:
    away = "Telegram cannot be reached"
    troubles = [running(trouble=away) for _ in range(8)]
    telegram = Telegram([running(pause_seconds=1_000, trouble="a pause"), *troubles, running(5), DONE])
    async with playing(skipping_env, telegram):
        handle = await started(skipping_env.client)
        await handle.result()
        took = (await lasted(handle)).total_seconds()
    assert telegram.asked == [200, 200, *[1] * 8, 200], "after trouble one user is tried"
    backed_off = 2 + 4 + 8 + 16 + 32 + 60 * 3
    # What the machine itself took is added to it.
    assert -1 < took - (1_000 + backed_off) < 60


async def test_a_cancel_ends_a_long_pause(skipping_env: WorkflowEnvironment) -> None:
    telegram = Telegram([running(pause_seconds=3_600, trouble="a pause"), CANCELLED])
    with skipping_env.auto_time_skipping_disabled():
        async with playing(skipping_env, telegram):
            handle = await started(skipping_env.client)
            await until_asked(telegram, 1)
            await handle.signal(Broadcast.cancelled)
            result = await asyncio.wait_for(handle.result(), 60)
    assert (result.outcome, result.sent) == ("cancelled", 2)


async def test_a_cancel_in_the_web_ui_is_the_same(skipping_env: WorkflowEnvironment) -> None:
    telegram = Telegram([running(pause_seconds=3_600, trouble="a pause")])
    with skipping_env.auto_time_skipping_disabled():
        async with playing(skipping_env, telegram):
            handle = await started(skipping_env.client)
            await until_asked(telegram, 1)
            await handle.cancel()
            result = await asyncio.wait_for(handle.result(), 60)
    assert (result.outcome, telegram.cancelled) == ("cancelled", 1)


async def test_a_long_one_goes_on_in_another_run_and_remembers_its_trouble(
    skipping_env: WorkflowEnvironment,
) -> None:
    telegram = Telegram([running(), running(trouble="away"), running(3), running(4), DONE])
    async with playing(skipping_env, telegram):
        handle = await started(skipping_env.client, steps_max=2)
        result = await handle.result()
        first = (await handle.fetch_history()).events
    assert result.outcome == "done"
    assert telegram.asked == [200, 200, 1, 200, 200]
    assert first[-1].HasField("workflow_execution_completed_event_attributes")
    runs = first[0].workflow_execution_started_event_attributes
    assert runs.continued_execution_run_id, "it is the last of several"


async def test_an_hour_of_it_is_no_long_history(skipping_env: WorkflowEnvironment) -> None:
    telegram = Telegram([*(running(n) for n in range(60)), DONE])
    async with playing(skipping_env, telegram):
        handle = await started(skipping_env.client)
        await handle.result()
        events = (await handle.fetch_history()).events
    per_step = len(events) / 61
    assert per_step * 500 < 4_096, "before Temporal itself asks for a new run"
