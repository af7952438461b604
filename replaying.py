"""Replaying one workflow: what it decided in its history it must decide again with the code of today."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from google.protobuf.json_format import ParseError
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from clients.payload_codec import CannotDecrypt
from domain import ids
from workflows.registry import ALL_WORKFLOWS, workflow_runner

REPLAY_SECONDS_MAX: Final = 60.0
_FETCH_SECONDS_MAX: Final = 30.0
_DECODED: Final = "the history was decoded when it was downloaded: take it once more, without decoding"
_PREFIX: Final = "EVENT_TYPE_"
_SAID: Final = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
_CODE: Final = re.compile(r"^\[TMPRL\d+\] (Nondeterminism error: )?")
_EVENT: Final = re.compile(r"HistoryEvent\(id: (\d+)")
_ORDER_OR_VIDEO: Final = re.compile(r"([0-9a-f]{20})(-v\d+)?(-a\d+)?")
_BEGINS: Final = (EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EventType.EVENT_TYPE_TIMER_STARTED)
_CLOSING: Final = ("COMPLETED", "FAILED", "TIMED_OUT", "CANCELED", "TERMINATED", "CONTINUED_AS_NEW")


class CannotReplay(Exception):
    """One sentence: what is missing before anything can be replayed."""


class Differs(Exception):
    """One sentence: where history and code part."""


@dataclass(frozen=True, slots=True)
class Replayed:
    workflow_id: str
    workflow_type: str
    events: int
    span: str
    outcome: str
    waits_for: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        yield f"{self.workflow_type} {self.workflow_id}"
        yield f"  events     {self.events}, {self.span}"
        yield f"  outcome    {self.outcome}"
        if self.waits_for:
            yield f"  waits for  {', '.join(self.waits_for)}"
        yield "  replays    the code decides as it did then"


def workflow_id_of(text: str) -> str:
    """Also of an order, a video or an attempt, as rows, buttons and logs name them."""
    named = _ORDER_OR_VIDEO.fullmatch(text)
    return ids.order_workflow_id(f"{named[1]}{named[2] or ''}") if named else text


async def fetch(client: Client, workflow_id: str, run_id: str = "") -> WorkflowHistory:
    """Raise CannotReplay."""
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    try:
        return await asyncio.wait_for(handle.fetch_history(), _FETCH_SECONDS_MAX)
    except RPCError as error:
        run = f" with the run {run_id}" if run_id else ""
        if error.status is RPCStatusCode.NOT_FOUND:
            raise CannotReplay(
                f"there is no workflow {workflow_id}{run} in the namespace {client.namespace}"
            ) from None
        raise CannotReplay(f"Temporal refuses {workflow_id}{run}: {error.message}") from None
    except TimeoutError:
        raise CannotReplay(f"Temporal did not answer in {_FETCH_SECONDS_MAX:.0f} s") from None


def read(path: Path) -> WorkflowHistory:
    """As the Web UI and `temporal workflow show -o json` write it. Raise CannotReplay."""
    try:
        told = json.loads(path.read_text())
    except OSError as error:
        raise CannotReplay(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise CannotReplay(f"{path} is not JSON") from None
    history = {"events": told} if isinstance(told, list) else told
    if not isinstance(history, dict) or not isinstance(history.get("events"), list):
        raise CannotReplay(f"{path} is not a history: it has no list of events")
    try:
        return WorkflowHistory.from_json(_workflow_id_in(history) or path.stem, history)
    except (ParseError, TypeError, ValueError, AttributeError, KeyError):
        raise CannotReplay(f"{path} is not a history as Temporal writes it") from None


def _workflow_id_in(history: dict[str, Any]) -> str:
    first = history["events"][0] if history["events"] else {}
    started = first.get("workflowExecutionStartedEventAttributes") if isinstance(first, dict) else None
    return str((started or {}).get("workflowId", ""))


async def replay(history: WorkflowHistory, converter: DataConverter, *, debug: bool = False) -> Replayed:
    """Raise CannotReplay or Differs. With `debug` a `breakpoint()` in a workflow stops there."""
    _check(history)
    await _check_readable(history, converter)
    replayer = Replayer(
        workflows=ALL_WORKFLOWS,
        data_converter=converter,
        workflow_runner=workflow_runner(),
        debug_mode=debug,
    )
    try:
        replaying = replayer.replay_workflow(history)
        await asyncio.wait_for(replaying, None if debug else REPLAY_SECONDS_MAX)
    except NondeterminismError as differs:
        raise Differs(_where(history, str(differs))) from None
    except TimeoutError:
        raise Differs(f"its code does not come to an end within {REPLAY_SECONDS_MAX:.0f} s") from None
    except RuntimeError as broken:
        raise Differs(_words(str(broken))) from None
    return await _replayed(history, converter)


def _check(history: WorkflowHistory) -> None:
    """What the replayer would hang or panic on."""
    events = history.events
    if not events or events[0].event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
        raise CannotReplay("the history does not begin with the start of a workflow")
    started = events[0].workflow_execution_started_event_attributes
    if not started.original_execution_run_id:
        raise CannotReplay("the history does not say which run it is of")
    missing = next((n for n, event in enumerate(events, start=1) if event.event_id != n), 0)
    if missing:
        raise CannotReplay(f"the history is not whole: event {missing} is missing")
    known = {workflow.__name__ for workflow in ALL_WORKFLOWS}
    if started.workflow_type.name not in known:
        raise CannotReplay(f"there is no workflow {started.workflow_type.name} in this version")


async def _check_readable(history: WorkflowHistory, converter: DataConverter) -> None:
    started = history.events[0].workflow_execution_started_event_attributes
    try:
        await converter.decode(started.input.payloads)
    except CannotDecrypt as hidden:
        raise CannotReplay(f"the history cannot be read: {hidden}") from None
    except KeyError:  # a payload without its encoding
        raise CannotReplay(_DECODED) from None


def _words(message: str) -> str:
    """The sentence inside the SDK's dump of its own structures."""
    said = _SAID.search(message)
    return _CODE.sub("", said[1].replace('\\"', '"') if said else message)


def _where(history: WorkflowHistory, message: str) -> str:
    words = _words(message)
    event_id = _EVENT.search(words)
    if event_id is None:
        return words
    return f"{words}; event {event_id[1]} is {_told(history, int(event_id[1]))}"


def _told(history: WorkflowHistory, event_id: int) -> str:
    event = history.events[event_id - 1]
    name = event.activity_task_scheduled_event_attributes.activity_type.name
    return f"{_name(event)} {name}".strip()


def _name(event: Any) -> str:
    return str(EventType.Name(event.event_type).removeprefix(_PREFIX))


async def _replayed(history: WorkflowHistory, converter: DataConverter) -> Replayed:
    first, last = history.events[0], history.events[-1]
    started = first.workflow_execution_started_event_attributes
    begun, ended = (each.event_time.ToDatetime(tzinfo=UTC) for each in (first, last))
    is_closed = _name(last).removeprefix("WORKFLOW_EXECUTION_") in _CLOSING
    return Replayed(
        workflow_id=history.workflow_id,
        workflow_type=started.workflow_type.name,
        events=len(history.events),
        span=_span(begun, ended),
        outcome=await _outcome(last, converter) if is_closed else "still running",
        waits_for=() if is_closed else await _pending(history, converter),
    )


def _span(begun: datetime, ended: datetime) -> str:
    return f"{begun:%Y-%m-%d %H:%M:%S} to {ended:%H:%M:%S} UTC"


async def _outcome(last: Any, converter: DataConverter) -> str:
    payloads = last.workflow_execution_completed_event_attributes.result.payloads
    if payloads:
        (result,) = await converter.decode(payloads[:1])
        return json.dumps(result)
    message = last.workflow_execution_failed_event_attributes.failure.message
    return f"{_name(last).removeprefix('WORKFLOW_EXECUTION_').lower()} {message}".strip()


async def _pending(history: WorkflowHistory, converter: DataConverter) -> tuple[str, ...]:
    """Calls without an answer and timers that have not fired, with the summaries the Web UI shows."""
    open_events: dict[int, Any] = {}
    for event in history.events:
        if event.event_type in _BEGINS:
            open_events[event.event_id] = event
        else:
            open_events.pop(_ends(event), None)
    return tuple([await _named(event, converter) for event in open_events.values()])


def _ends(event: Any) -> int:
    """The event whose waiting is over with this one; 0 for none."""
    attributes = getattr(event, event.WhichOneof("attributes") or "", None)
    if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
        return 0
    for name in ("scheduled_event_id", "started_event_id"):
        if _name(event).startswith(("ACTIVITY_TASK_", "TIMER_")) and hasattr(attributes, name):
            return int(getattr(attributes, name))
    return 0


async def _named(event: Any, converter: DataConverter) -> str:
    summary = ""
    if event.user_metadata.HasField("summary"):
        (summary,) = await converter.decode([event.user_metadata.summary])
    name = event.activity_task_scheduled_event_attributes.activity_type.name or "timer"
    return f"{name} ({summary})" if summary else name
