"""Nine in the morning in Moscow, once a day, also after days without Temporal."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest_asyncio
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import contracts
from activities.contracts import TaskQueue
from activities.payloads import DailyReportSent
from domain.failures import FailureClass
from local.temporal import TemporalServer, connect
from workflows.contracts import Nothing
from workflows.namespace import prepare_namespace
from workflows.registry import ALL_WORKFLOWS, workflow_runner
from workflows.reporting import DailyReport
from workflows.start import ensure_schedules


@pytest_asyncio.fixture
async def client(temporal_server: TemporalServer) -> AsyncIterator[Client]:
    """A namespace of its own: schedules are nobody else's."""
    client = await connect(temporal_server.address, f"report-{uuid4().hex[:6]}")
    await prepare_namespace(client)
    yield client
    async for schedule in await client.list_schedules():
        await client.get_schedule_handle(schedule.id).delete()


async def test_its_schedule_is_made_once_and_catches_up_with_one_day(client: Client) -> None:
    await ensure_schedules(client)
    before = await client.get_schedule_handle("daily-report").describe()
    await ensure_schedules(client)
    after = await client.get_schedule_handle("daily-report").describe()
    assert after.info.last_updated_at == before.info.last_updated_at
    assert {(at.hour, at.minute) for at in after.info.next_action_times} == {(6, 0)}
    assert after.schedule.policy.catchup_window
    assert after.schedule.policy.catchup_window < timedelta(days=1)


async def reported(env: WorkflowEnvironment, trouble_times: int) -> DailyReportSent:
    tries = 0

    @activity.defn(name=contracts.SEND_DAILY_REPORT.name)
    async def send_daily_report(_: contracts.Nothing) -> DailyReportSent:
        nonlocal tries
        tries += 1
        if tries <= trouble_times:
            raise ApplicationError("Telegram cannot be reached", type=FailureClass.TEMPORARY.value)
        return DailyReportSent(day="2026-11-20", admins=2)

    orders = Worker(
        env.client, task_queue=TaskQueue.ORDERS, workflows=ALL_WORKFLOWS, workflow_runner=workflow_runner()
    )
    async with (
        orders,
        Worker(env.client, task_queue=TaskQueue.TELEGRAM, activities=[send_daily_report]),
    ):
        return await env.client.execute_workflow(
            DailyReport.run, Nothing(), id=uuid4().hex, task_queue=TaskQueue.ORDERS
        )


async def test_an_hour_without_telegram_delays_it(skipping_env: WorkflowEnvironment) -> None:
    assert await reported(skipping_env, 60) == DailyReportSent(day="2026-11-20", admins=2)


async def test_a_day_without_telegram_ends_it(skipping_env: WorkflowEnvironment) -> None:
    assert await reported(skipping_env, 10_000) == DailyReportSent(day="")
