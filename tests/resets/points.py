"""Where a workflow can be reset, and what becomes of it there."""

from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, PendingActivityState, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from tests.stories.seller import PATIENCE_SECONDS, soon

_COMPLETED: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
_RUNNING: Final = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
_SIGNALS: Final = ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL


@dataclass(frozen=True)
class ResetPoint:
    workflow_id: str
    run_id: str
    event_id: int

    def __str__(self) -> str:
        return f"{self.workflow_id} at event {self.event_id}"


async def points_of(client: Client, workflow_id: str) -> list[ResetPoint]:
    """Every completed workflow task of the newest run, the first one first."""
    run_id = (await client.get_workflow_handle(workflow_id).describe()).run_id
    history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    completed = (event.event_id for event in history.events if event.event_type == _COMPLETED)
    return [ResetPoint(workflow_id, run_id, event_id) for event_id in completed]


async def reset(client: Client, point: ResetPoint, *, without_signals: bool = False) -> None:
    """As the Web UI does: what came by signal since is given to the new run, unless it is left out."""
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=point.workflow_id, run_id=point.run_id),
            reason="walked",
            workflow_task_finish_event_id=point.event_id,
            request_id=uuid4().hex,
            reset_reapply_exclude_types=[_SIGNALS] if without_signals else [],
        ),
        retry=True,
    )


async def until_called(client: Client, workflow_id: str, activity: str) -> None:
    """A worker is at that activity just now."""
    await soon(lambda: is_called(client, workflow_id, activity), f"{activity} of {workflow_id}")


async def is_called(client: Client, workflow_id: str, activity: str) -> bool:
    described = await describe(client, workflow_id)
    pending = described.raw_description.pending_activities if described else ()
    return any(each.activity_type.name == activity and each.state == _RUNNING for each in pending)


async def until_ended(client: Client, workflow_ids: list[str], seconds: float = PATIENCE_SECONDS) -> None:
    async def ended() -> bool:
        described = [await describe(client, each) for each in workflow_ids]
        return all(each and each.status is not WorkflowExecutionStatus.RUNNING for each in described)

    await soon(ended, f"the end of {', '.join(workflow_ids)}", seconds)


async def describe(client: Client, workflow_id: str) -> WorkflowExecutionDescription | None:
    """The newest run; None where there is none yet."""
    try:
        return await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
