"""What Temporal says of a workflow, for people: status, stage, what it waits for, and what failed last."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import SearchAttributes, WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState, WorkflowExecutionStatus
from temporalio.api.failure.v1 import Failure
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflow.v1 import PendingActivityInfo, WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError
from temporalio.converter import decode_search_attributes
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.service import RPCError, RPCStatusCode

from workflows.search_attributes import FAILURE_CLASS, ORDER_STAGE

MISSING: Final = "MISSING"
RUNNING: Final = "RUNNING"
_REPORTED: Final = "TemporalReportedProblems"
_PAUSED: Final = "TemporalPauseInfo"
_RPC_TIMEOUT: Final = timedelta(seconds=5)
_QUERY_TIMEOUT: Final = timedelta(seconds=3)  # a worker may have to replay first; without one nobody answers
_SAID_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Pause:
    """Of one activity: somebody has stopped it, and nothing but an unpause lets it go on."""

    workflow_id: str
    activity_id: str
    activity: str
    since: datetime | None
    by: str

    @property
    def undo(self) -> str:
        return f"temporal activity unpause -w {self.workflow_id} --activity-id {self.activity_id}"


@dataclass(frozen=True, slots=True)
class PendingActivity:
    """`attempt` counts Temporal's tries of one activity, not create calls at KIE."""

    name: str
    state: str
    attempt: int
    next_try_at: datetime | None
    last_failure: str
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class WorkflowFacts:
    """`doing` is the workflow's own sentence; empty where no worker answers for it."""

    id: str
    status: str
    run_id: str = ""
    stage: str = ""
    failure_class: str = ""
    started_at: datetime | None = None
    closed_at: datetime | None = None
    doing: str = ""
    problems: tuple[str, ...] = ()
    pending: tuple[PendingActivity, ...] = ()
    failure: str = ""


async def describe_all(client: Client, workflow_ids: Iterable[str]) -> list[WorkflowFacts]:
    """In the given order. Raise RPCError when Temporal does not answer."""
    return await asyncio.gather(*(_describe(client, workflow_id) for workflow_id in workflow_ids))


async def troubled(client: Client, rows_max: int) -> list[tuple[str, tuple[str, ...]]]:
    """Running workflows whose own steps fail again and again: a bug of ours, or a broken deployment."""
    return [
        (info.execution.workflow_id, tuple(_attributes(info.search_attributes).get(_REPORTED, ())))
        for info in await _running_with(client, _REPORTED, rows_max)
    ]


async def paused(client: Client, rows_max: int) -> list[Pause]:
    """The activities that somebody has paused, of all workflows. Raise RPCError."""
    found = await _running_with(client, _PAUSED, rows_max)
    return await pauses_of(client, [info.execution.workflow_id for info in found])


async def pauses_of(client: Client, workflow_ids: Iterable[str]) -> list[Pause]:
    """Raise RPCError when Temporal does not answer."""
    answers = await asyncio.gather(*(_ask(client, workflow_id) for workflow_id in workflow_ids))
    told = [(answer, info) for answer in answers if answer for info in answer.pending_activities]
    found = [_pause(answer.workflow_execution_info.execution.workflow_id, info) for answer, info in told]
    return [pause for pause in found if pause]


async def _running_with(client: Client, attribute: str, rows_max: int) -> Sequence[WorkflowExecutionInfo]:
    answer = await client.workflow_service.list_workflow_executions(
        ListWorkflowExecutionsRequest(
            namespace=client.namespace,
            query=f"ExecutionStatus = 'Running' AND {attribute} IS NOT NULL",
            page_size=rows_max,
        ),
        timeout=_RPC_TIMEOUT,
    )
    return answer.executions


async def _describe(client: Client, workflow_id: str) -> WorkflowFacts:
    answer = await _ask(client, workflow_id)
    return await _facts(client, answer) if answer else WorkflowFacts(workflow_id, MISSING)


async def _ask(client: Client, workflow_id: str) -> DescribeWorkflowExecutionResponse | None:
    """None: there is no such workflow."""
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    try:
        # Below the SDK's own `describe`, which cannot read a status that is new to it.
        return await client.workflow_service.describe_workflow_execution(request, timeout=_RPC_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _facts(client: Client, answer: DescribeWorkflowExecutionResponse) -> WorkflowFacts:
    info = answer.workflow_execution_info
    attributes = _attributes(info.search_attributes)
    status = _name(WorkflowExecutionStatus, info.status, "WORKFLOW_EXECUTION_STATUS_")
    workflow_id, running = info.execution.workflow_id, status == RUNNING
    return WorkflowFacts(
        id=workflow_id,
        status=status,
        run_id=info.execution.run_id,
        stage=_first(attributes, ORDER_STAGE.name),
        failure_class=_first(attributes, FAILURE_CLASS.name),
        started_at=_time(info.start_time),
        closed_at=_time(info.close_time),
        doing=await _doing(client, workflow_id) if running else "",
        problems=tuple(attributes.get(_REPORTED, ())),
        pending=tuple([await _pending(client, workflow_id, each) for each in answer.pending_activities]),
        failure=await _failure_of(client, workflow_id) if status == "FAILED" else "",
    )


async def _pending(client: Client, workflow_id: str, info: PendingActivityInfo) -> PendingActivity:
    said = info.HasField("last_failure")
    return PendingActivity(
        name=info.activity_type.name,
        state=_name(PendingActivityState, info.state, "PENDING_ACTIVITY_STATE_"),
        attempt=info.attempt,
        next_try_at=_time(info.next_attempt_schedule_time),
        last_failure=await _words(client, info.last_failure) if said else "",
        pause=_pause(workflow_id, info),
    )


def _pause(workflow_id: str, info: PendingActivityInfo) -> Pause | None:
    if not info.paused:
        return None
    who = info.pause_info.manual
    return Pause(
        workflow_id=workflow_id,
        activity_id=info.activity_id,
        activity=info.activity_type.name,
        since=_time(info.pause_info.pause_time),
        by=": ".join(filter(None, (who.identity, who.reason))),
    )


async def _doing(client: Client, workflow_id: str) -> str:
    handle = client.get_workflow_handle(workflow_id)
    try:
        told = await handle.query(
            "__temporal_workflow_metadata", result_type=WorkflowMetadata, rpc_timeout=_QUERY_TIMEOUT
        )
    except (RPCError, WorkflowQueryFailedError):
        return ""
    return str(told.current_details)


async def _failure_of(client: Client, workflow_id: str) -> str:
    try:
        await client.get_workflow_handle(workflow_id).result(rpc_timeout=_RPC_TIMEOUT)
    except WorkflowFailureError as error:
        return _sentence(error.cause)
    except RPCError:
        return ""
    return ""


async def _words(client: Client, failure: Failure) -> str:
    """Decoded, where payloads are encrypted."""
    return _sentence(await client.data_converter.decode_failure(failure))


def _sentence(error: BaseException) -> str:
    kind = (error.type or "") if isinstance(error, ApplicationError) else type(error).__name__
    said = error.message if isinstance(error, FailureError) else str(error)
    parts = [part for part in (kind, said) if part]
    return ": ".join(dict.fromkeys(parts))[:_SAID_CHARS_MAX]


def _attributes(attributes: SearchAttributes) -> dict[str, Any]:
    return dict(decode_search_attributes(attributes))


def _first(attributes: dict[str, Any], name: str) -> str:
    return str(next(iter(attributes.get(name, ())), ""))


def _name(names: Any, number: int, prefix: str) -> str:
    """A number that is newer than this program stays a number."""
    known = {value: name for name, value in names.items()}
    return str(known.get(number, f"STATUS {number}")).removeprefix(prefix)


def _time(moment: Timestamp) -> datetime | None:
    return moment.ToDatetime(UTC) if moment.seconds else None
