"""A schedule that an earlier release made otherwise becomes as this one says; the others are left alone."""

import base64
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from clients.payload_codec import payload_codec
from local.temporal import TemporalServer, connect
from workflows.contracts import InvariantCheckInput, Nothing
from workflows.invariants import InvariantCheck
from workflows.namespace import prepare_namespace
from workflows.registry import data_converter
from workflows.start import ensure_schedules, schedule_ids

NAME = "invariants-complete"
KEY = SecretStr("k1:" + base64.b64encode(secrets.token_bytes(32)).decode())
Change = Callable[[Schedule], Schedule]


@pytest_asyncio.fixture(params=["plain", "encrypted"])
async def client(request: pytest.FixtureRequest, temporal_server: TemporalServer) -> AsyncIterator[Client]:
    """A namespace of its own: schedules are nobody else's."""
    codec = payload_codec(KEY if request.param == "encrypted" else SecretStr(""))
    converter = data_converter(codec, hides_failures=codec.encrypts)
    client = await connect(temporal_server.address, f"schedules-{uuid4().hex[:6]}", converter)
    await prepare_namespace(client)
    await ensure_schedules(client)
    yield client
    async for schedule in await client.list_schedules():
        await client.get_schedule_handle(schedule.id).delete()


def policy(**said: Any) -> Change:
    return lambda kept: replace(kept, policy=replace(kept.policy, **said))


def action(**said: Any) -> Change:
    """Of the complete check."""
    whole: dict[str, Any] = {
        "workflow": InvariantCheck.run,
        "args": [InvariantCheckInput(complete=True)],
        "id": NAME,
        "task_queue": "orders",
        "static_summary": "what must always be true, of every row",
        **said,
    }
    return lambda kept: replace(kept, action=ScheduleActionStartWorkflow(**whole))


def times(spec: ScheduleSpec) -> Change:
    return lambda kept: replace(kept, spec=spec)


HALF_PAST_FOUR = ScheduleCalendarSpec(hour=(ScheduleRange(4, 4),), minute=(ScheduleRange(30, 30),))
EARLIER: dict[str, Change] = {
    "overlap": policy(overlap=ScheduleOverlapPolicy.BUFFER_ALL),
    "catch-up": policy(catchup_window=timedelta(hours=3)),
    "pause on failure": policy(pause_on_failure=True),
    "times": times(ScheduleSpec(calendars=[HALF_PAST_FOUR])),
    "jitter": lambda kept: replace(kept, spec=replace(kept.spec, jitter=timedelta(minutes=1))),
    "queue": action(task_queue="telegram"),
    "workflow": action(workflow="KieProbe"),
    "workflow's id": action(id="the-check"),
    "argument": action(args=[InvariantCheckInput(complete=False)]),
    "no argument": action(args=[]),
    "another argument": action(args=[Nothing()]),
    "summary": action(static_summary="a check"),
    "details": action(static_details="once a night"),
    "time limit": action(run_timeout=timedelta(hours=1)),
}


async def change(client: Client, made_otherwise: Change) -> None:
    def changed(found: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(made_otherwise(found.description.schedule))

    await client.get_schedule_handle(NAME).update(changed)


async def kept(client: Client) -> dict[str, Any]:
    """As an operator reads it, decrypted."""
    described = (await client.get_schedule_handle(NAME).describe()).schedule
    start = described.action
    assert isinstance(start, ScheduleActionStartWorkflow)
    words = [*start.args, start.static_summary]
    return {
        "times": described.spec,
        "policy": described.policy,
        "starts": (start.workflow, start.id, start.task_queue, start.run_timeout, len(start.args)),
        "with": await client.data_converter.decode([word for word in words if word is not None]),
        "details": str(start.static_details),
    }


async def updates(client: Client) -> dict[str, datetime | None]:
    handles = {name: client.get_schedule_handle(name) for name in schedule_ids()}
    return {name: (await handle.describe()).info.last_updated_at for name, handle in handles.items()}


@pytest.mark.parametrize("what", EARLIER)
async def test_what_was_otherwise_becomes_as_it_is_said(client: Client, what: str) -> None:
    wanted = await kept(client)
    await change(client, EARLIER[what])
    assert await kept(client) != wanted
    before = await updates(client)
    await ensure_schedules(client)
    assert await kept(client) == wanted
    after = await updates(client)
    assert [name for name in before if before[name] != after[name]] == [NAME]


async def test_one_that_is_as_it_is_said_is_left_alone(client: Client) -> None:
    await ensure_schedules(client)
    assert set((await updates(client)).values()) == {None}
