"""The probe's workflow tells what it found; its schedule is as this release says."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest_asyncio
from temporalio import activity
from temporalio.client import Client, Schedule
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import contracts
from activities.contracts import Alert, KieBalances, ProbedAccount, TaskQueue
from local.temporal import TemporalServer, connect
from workflows.contracts import Nothing
from workflows.namespace import prepare_namespace
from workflows.probing import KieProbe
from workflows.registry import ALL_WORKFLOWS, workflow_runner
from workflows.start import ensure_schedules

FOUND = KieBalances(
    accounts=(
        ProbedAccount(account="alpha", balance_kie_credits=1_234.4, block_lifted=True),
        ProbedAccount(account="beta", balance_kie_credits=10, is_low=True, refused_key_ids=("b1", "b2")),
        ProbedAccount(account="gamma", lifted_key_ids=("c1",)),
    )
)


async def test_low_money_and_refused_keys_are_told_and_the_web_ui_names_the_accounts(
    skipping_env: WorkflowEnvironment,
) -> None:
    told: list[Alert] = []

    @activity.defn(name=contracts.PROBE_KIE.name)
    async def probe(_: contracts.Nothing) -> KieBalances:
        return FOUND

    @activity.defn(name=contracts.ALERT_ADMINS.name)
    async def alert_admins(alert: Alert) -> contracts.Nothing:
        told.append(alert)
        return contracts.Nothing()

    client = skipping_env.client
    orders = Worker(
        client, task_queue=TaskQueue.ORDERS, workflows=ALL_WORKFLOWS, workflow_runner=workflow_runner()
    )
    kie = Worker(client, task_queue=TaskQueue.KIE, activities=[probe])
    telegram = Worker(client, task_queue=TaskQueue.TELEGRAM, activities=[alert_admins])
    async with orders, kie, telegram:
        handle = await client.start_workflow(
            KieProbe.run, Nothing(), id=uuid4().hex, task_queue=TaskQueue.ORDERS
        )
        assert await handle.result() == FOUND
        details = str(await handle.query("__temporal_workflow_metadata"))
    assert [(each.failure_class, each.account, each.key_id) for each in told] == [
        ("BILLING", "beta", "b1"),
        ("BILLING", "beta", "b2"),
        (contracts.LOW_BALANCE_ALERT, "beta", ""),
    ]
    for words in ("alpha", "1234 KIE credits, serves again", "beta", "low", "gamma", "not answered"):
        assert words in details


@pytest_asyncio.fixture
async def client(temporal_server: TemporalServer) -> AsyncIterator[Client]:
    """A namespace of its own: schedules are nobody else's."""
    client = await connect(temporal_server.address, f"probe-{uuid4().hex[:6]}")
    await prepare_namespace(client)
    yield client
    for schedule_id in ("housekeeping", "kie-probe"):
        await client.get_schedule_handle(schedule_id).delete()


async def described(client: Client, schedule_id: str) -> Schedule:
    return (await client.get_schedule_handle(schedule_id).describe()).schedule


def every(schedule: Schedule) -> timedelta:
    (interval,) = schedule.spec.intervals
    return interval.every


async def test_schedules_are_made_and_kept_up_to_date(client: Client) -> None:
    await asyncio.gather(ensure_schedules(client), ensure_schedules(client))
    assert every(await described(client, "housekeeping")) == timedelta(minutes=1)
    assert every(await described(client, "kie-probe")) == timedelta(minutes=10)
    await client.get_schedule_handle("kie-probe").pause(note="on purpose")
    await ensure_schedules(client, 0.1)
    assert every(await described(client, "housekeeping")) == timedelta(seconds=6)
    probe = await described(client, "kie-probe")
    assert every(probe) == timedelta(minutes=1)
    assert (probe.state.paused, probe.state.note) == (True, "on purpose")


async def test_a_schedule_that_fits_is_left_alone(client: Client) -> None:
    await ensure_schedules(client)
    before = (await client.get_schedule_handle("kie-probe").describe()).info.last_updated_at
    await ensure_schedules(client)
    assert (await client.get_schedule_handle("kie-probe").describe()).info.last_updated_at == before
