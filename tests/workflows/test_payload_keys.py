"""Keys change under running orders: none is lost, and what is over needs no key any more."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowHistory,
)
from temporalio.testing import WorkflowEnvironment

from activities import contracts
from clients.payload_codec import KEY_ID
from domain import ids
from local.temporal import TemporalServer, connect
from serving import temporal_converter
from tests.workflows.scripted import Script, Stage, stage_on, told
from workflows.contracts import OrderResult
from workflows.namespace import prepare_namespace
from workflows.start import ensure_schedules, signal_kie_callback

pytestmark = pytest.mark.timeout(300)

SOON_SECONDS = 60.0
NEVER = 10**6


def new_key(key_id: str) -> str:
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


KEY_1, KEY_2 = new_key("k1"), new_key("k2")


async def soon(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_SECONDS):
        while not check():  # noqa: ASYNC110 - a real worker changes it, not this task
            await asyncio.sleep(0.05)


@dataclass
class Open:
    """The shop while its programs have one set of keys."""

    client: Client
    stage: Stage

    async def order(self) -> Script:
        """Until KIE works on its video; it will, until `finish`."""
        script = self.stage.script()
        script.polls_until_success = NEVER
        await script.start_order()
        await script.called(contracts.CREATE_KIE_TASK)
        await self.wake(script)
        return script

    async def wake(self, script: Script) -> None:
        """Signal, replay, ask KIE, wait again."""
        asked = script.count(contracts.CHECK_KIE_TASK)
        await self.call_back(script)
        await soon(lambda: script.count(contracts.CHECK_KIE_TASK) > asked)

    async def call_back(self, script: Script) -> None:
        attempt_id = ids.attempt_id(ids.video_id(script.order_id, 1), 1)
        await told(partial(signal_kie_callback, self.client, attempt_id, "task1"))

    async def finish(self, script: Script) -> str:
        script.polls_until_success = 0
        await self.call_back(script)
        handle = self.client.get_workflow_handle(
            ids.order_workflow_id(script.order_id), result_type=OrderResult
        )
        result: OrderResult = await asyncio.wait_for(handle.result(), SOON_SECONDS)
        return f"{result.outcome}: {result.delivered}"

    async def history(self, workflow_id: str) -> WorkflowHistory:
        return await self.client.get_workflow_handle(workflow_id).fetch_history()


@dataclass
class Shop:
    """One namespace; with other keys its programs start anew and know nothing of before."""

    address: str
    namespace: str
    scripts: dict[str, Script] = field(default_factory=dict)

    async def client(self, *keys: str) -> Client:
        return await connect(self.address, self.namespace, temporal_converter(SecretStr(",".join(keys))))

    @asynccontextmanager
    async def with_keys(self, *keys: str) -> AsyncIterator[Open]:
        client = await self.client(*keys)
        async with stage_on(WorkflowEnvironment.from_client(client)) as stage:
            stage._scripts = self.scripts
            yield Open(client, stage)


@pytest.fixture
async def shop(temporal_server: TemporalServer) -> Shop:
    shop = Shop(temporal_server.address, f"keys-{uuid4().hex[:6]}")
    await prepare_namespace(await shop.client())
    return shop


def written_with(history: WorkflowHistory) -> set[str]:
    """The key of every payload; `plain` where it has none."""
    return {
        base64.b64decode(metadata[KEY_ID]).decode() if KEY_ID in metadata else "plain"
        for metadata in payloads_of(json.loads(history.to_json()))
    }


def payloads_of(part: Any) -> Iterator[dict[str, str]]:
    if isinstance(part, dict):
        if isinstance(part.get("metadata"), dict) and "encoding" in part["metadata"]:
            yield part["metadata"]
        part = [each for name, each in part.items() if name not in {"searchAttributes", "header"}]
    if isinstance(part, list):
        for each in part:
            yield from payloads_of(each)


async def failures_of(handle: WorkflowHandle[Any, Any]) -> list[str]:
    """Of its workflow tasks, once there are any."""
    async with asyncio.timeout(SOON_SECONDS):
        while not (said := plain_failures(await handle.fetch_history())):  # noqa: ASYNC110 - the server has them
            await asyncio.sleep(0.2)
    return said


def plain_failures(history: WorkflowHistory) -> list[str]:
    kind = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    return [
        event.workflow_task_failed_event_attributes.failure.message
        for event in history.events
        if event.event_type == kind
    ]


async def test_orders_outlive_every_change_of_the_key(shop: Shop) -> None:
    async with shop.with_keys() as programs:
        before = await programs.order()
    async with shop.with_keys(KEY_1) as programs:
        await programs.wake(before)
        first = await programs.order()
    async with shop.with_keys(KEY_2, KEY_1) as programs:
        await programs.wake(first)
        second = await programs.order()
        assert [await programs.finish(each) for each in (before, first)] == ["completed: 1"] * 2
    async with shop.with_keys(KEY_2) as programs:
        assert await programs.finish(second) == "completed: 1"
        written = [
            written_with(await programs.history(f"order-{each.order_id}-v1"))
            for each in (before, first, second)
        ]
    assert written == [{"plain", "k1", "k2"}, {"k1", "k2"}, {"k2"}]
    for script in (before, first, second):
        assert script.count(contracts.CREATE_KIE_TASK) == script.count(contracts.SEND_VIDEO) == 1


async def test_encryption_can_be_switched_off_again(shop: Shop) -> None:
    async with shop.with_keys(KEY_1) as programs:
        order = await programs.order()
    async with shop.with_keys("plain", KEY_1) as programs:
        assert await programs.finish(order) == "completed: 1"
        written = written_with(await programs.history(f"order-{order.order_id}-v1"))
    assert written == {"k1", "plain"}


async def test_without_its_key_an_order_waits_and_an_engineer_reads_why(shop: Shop) -> None:
    async with shop.with_keys(KEY_1) as programs:
        order = await programs.order()
    async with shop.with_keys() as programs:
        await programs.call_back(order)
        video = programs.client.get_workflow_handle(f"order-{order.order_id}-v1")
        said = await failures_of(video)
        assert any("'k1', which TEMPORAL_PAYLOAD_KEY does not name" in each for each in said)
        assert (await video.describe()).status is WorkflowExecutionStatus.RUNNING
        assert order.settled is None
    async with shop.with_keys(KEY_1) as programs:
        assert await programs.finish(order) == "completed: 1"
    assert order.count(contracts.CREATE_KIE_TASK) == 1


async def test_schedules_take_the_new_key_and_stay_paused(shop: Shop) -> None:
    """What they start was encrypted once, and would need the old key for ever."""
    seen: list[tuple[set[str], object]] = []
    for keys in ((), (KEY_1,), (KEY_2, KEY_1), (KEY_2, KEY_1)):
        client = await shop.client(*keys)
        await ensure_schedules(client)
        schedule = client.get_schedule_handle("kie-probe")
        if not seen:
            await schedule.pause(note="on purpose")
        described = await schedule.describe()
        seen.append((key_of(described.schedule.action), described.info.last_updated_at))
        assert described.schedule.state.paused
    assert [key for key, _ in seen] == [{"plain"}, {"k1"}, {"k2"}, {"k2"}]
    assert seen[-1] == seen[-2], "and then it is left alone"
    async for each in await client.list_schedules():
        await client.get_schedule_handle(each.id).delete()


def key_of(action: object) -> set[str]:
    assert isinstance(action, ScheduleActionStartWorkflow)
    parts = [part for part in (*action.args, action.static_summary) if isinstance(part, Payload)]
    assert len(parts) == 2
    return {part.metadata.get(KEY_ID, b"plain").decode() for part in parts}
