"""The check's workflow: what it finds is told, what is lost is ended, and there are two schedules."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import contracts
from activities.contracts import OrderProgress, SettleResult, TaskQueue, VideoRef
from activities.payloads import CheckedRule, InvariantReport, LostOrder, LostWork
from domain.orders import VideoState
from local.temporal import TemporalServer, connect
from workflows.contracts import InvariantCheckInput
from workflows.invariants import InvariantCheck
from workflows.namespace import prepare_namespace
from workflows.registry import ALL_WORKFLOWS, workflow_runner
from workflows.start import ensure_schedules

FOUND = (CheckedRule(rule="I1", rows=7, broken=1, subjects=("42",)), CheckedRule(rule="I2", rows=3))
LOST = LostWork(
    video_ids=("a-v1", "b-v1", "c-v1"),
    bought_video_ids=("d-v1",),
    orders=(LostOrder(order_id="e", video_count=3), LostOrder(order_id="f")),
)
STATES = {"a-v1": VideoState.FAILED, "b-v1": VideoState.DELIVERED, "c-v1": VideoState.OPEN}


class Cast:
    """Every activity of the check, scripted; `called` is what was asked of them."""

    def __init__(self) -> None:
        self.called: list[tuple[str, str]] = []
        self.has_news = True
        self.lost: LostWork | None = LOST  # None: Temporal does not say

    def answers(self) -> dict[str, Callable[[Any], Any]]:
        return {
            contracts.CHECK_INVARIANTS.name: lambda wanted: InvariantReport(
                complete=wanted.complete, rules=FOUND, has_news=self.has_news
            ),
            contracts.LIST_LOST.name: self.list_lost,
            contracts.SETTLE_LOST.name: self.settle,
            contracts.CLOSE_ORDER.name: lambda _: OrderProgress(),
        }

    def list_lost(self, _: Any) -> LostWork:
        if self.lost is None:
            raise ApplicationError("Temporal cannot be reached", type="TEMPORARY", non_retryable=True)
        return self.lost

    def settle(self, ref: VideoRef) -> SettleResult:
        state = STATES[ref.video_id]
        return SettleResult(captured=state.captured, state=state, won=True)

    def asked(self, name: str) -> list[str]:
        return sorted(subject for each, subject in self.called if each == name)


@asynccontextmanager
async def playing(client: Client, cast: Cast) -> AsyncIterator[None]:
    queues: dict[TaskQueue, list[Any]] = defaultdict(list)
    answers = cast.answers()
    for contract in contracts.ALL_CONTRACTS:
        queues[contract.queue].append(_scripted(contract, cast, answers.get(contract.name)))
    orders = Worker(
        client,
        task_queue=TaskQueue.ORDERS,
        workflows=ALL_WORKFLOWS,
        workflow_runner=workflow_runner(),
        activities=queues[TaskQueue.ORDERS],
    )
    telegram = Worker(client, task_queue=TaskQueue.TELEGRAM, activities=queues[TaskQueue.TELEGRAM])
    async with orders, telegram:
        yield


def _scripted(contract: Any, cast: Cast, answer: Callable[[Any], Any] | None) -> Any:
    async def scripted(request: Any) -> Any:
        subject = getattr(request, "video_id", "") or getattr(request, "order_id", "")
        cast.called.append((contract.name, subject))
        return answer(request) if answer else contracts.Nothing()

    scripted.__annotations__ = {"request": contract.request, "return": contract.result}
    return activity.defn(name=contract.name)(scripted)


async def checked(client: Client, cast: Cast, *, complete: bool = False) -> tuple[InvariantReport, str]:
    async with playing(client, cast):
        handle = await client.start_workflow(
            InvariantCheck.run,
            InvariantCheckInput(complete=complete),
            id=uuid4().hex,
            task_queue=TaskQueue.ORDERS,
        )
        report = await handle.result()
        return report, str(await handle.query("__temporal_workflow_metadata"))


async def test_what_is_broken_is_told_and_what_is_lost_is_settled(skipping_env: WorkflowEnvironment) -> None:
    cast = Cast()
    report, details = await checked(skipping_env.client, cast)
    assert report.rules == FOUND
    assert cast.asked("tell_invariants") == [""]
    assert cast.asked("settle_lost") == ["a-v1", "b-v1", "c-v1"]
    assert cast.asked("tell_failure") == ["a-v1"]
    assert cast.asked("ring") == ["b-v1"]
    assert cast.asked("alert_admins") == ["a-v1", "b-v1"], "what stays open is not settled"
    assert (cast.asked("close_order"), cast.asked("send_closing_card")) == (["e", "f"], ["e"])
    for words in ("7 looked at, 1 broken", "42", "d-v1", "reset it"):
        assert words in details


async def test_no_news_are_no_message_and_a_complete_check_settles_nothing(
    skipping_env: WorkflowEnvironment,
) -> None:
    cast = Cast()
    cast.has_news = False
    report, _ = await checked(skipping_env.client, cast, complete=True)
    assert report.complete
    assert [name for name, _ in cast.called] == ["check_invariants"]


async def test_while_temporal_does_not_say_what_is_lost_the_check_still_counts(
    skipping_env: WorkflowEnvironment,
) -> None:
    cast = Cast()
    cast.lost = None
    report, _ = await checked(skipping_env.client, cast)
    assert report.has_news
    assert not cast.asked("settle_lost")


@pytest_asyncio.fixture
async def client(temporal_server: TemporalServer) -> AsyncIterator[Client]:
    """A namespace of its own: schedules are nobody else's."""
    client = await connect(temporal_server.address, f"invariants-{uuid4().hex[:6]}")
    await prepare_namespace(client)
    yield client
    async for schedule in await client.list_schedules():
        await client.get_schedule_handle(schedule.id).delete()


@pytest.mark.parametrize(("schedule_id", "complete"), [("invariants", False), ("invariants-complete", True)])
async def test_the_schedules_are_made_once(client: Client, schedule_id: str, *, complete: bool) -> None:
    await ensure_schedules(client)
    before = await client.get_schedule_handle(schedule_id).describe()
    await ensure_schedules(client)
    after = await client.get_schedule_handle(schedule_id).describe()
    assert after.info.last_updated_at == before.info.last_updated_at
    if complete:
        (times,) = after.schedule.spec.calendars
        assert (times.hour[0].start, times.minute[0].start) == (3, 30)
        assert all((at.hour, at.minute) == (3, 30) for at in after.info.next_action_times)
    else:
        assert after.schedule.spec.intervals[0].every.total_seconds() == 60
