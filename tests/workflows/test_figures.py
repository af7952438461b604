"""How long the histories are and what they cost, read from the histories themselves."""

from collections import Counter
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle

from activities import contracts
from domain import ids
from tests.workflows.scripted import Script

_BILLABLE = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
}


async def events_of(handle: "WorkflowHandle[Any, Any]") -> list[HistoryEvent]:
    return [event async for event in handle.fetch_history_events()]


def actions_in(events: list[HistoryEvent]) -> int:
    """A signal between two workflows is counted where it is sent and where it arrives."""
    return sum(event.event_type in _BILLABLE for event in events)


def told(events: list[HistoryEvent]) -> str:
    kinds = Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


async def test_five_minutes_with_three_polls_stay_small(script: Script) -> None:
    handle = await script.start_order()
    result = await handle.result()
    assert result.outcome == "completed"
    assert script.count(contracts.CHECK_KIE_TASK) == 3
    order = await events_of(handle)
    video_id = ids.video_id(handle.id.removeprefix("order-"), 1)
    client = script.env.client
    video = await events_of(client.get_workflow_handle(ids.video_workflow_id(video_id)))
    assert len(video) <= 110, told(video)
    assert actions_in(video) <= 25, told(video)
    assert len(order) <= 60, told(order)
    assert actions_in(order) <= 12, told(order)
    print(f"\nVideo: {len(video)} events, {actions_in(video)} actions; {told(video)}")  # noqa: T201 - the figure
    print(f"VideoOrder: {len(order)} events, {actions_in(order)} actions; {told(order)}")  # noqa: T201
