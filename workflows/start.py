"""How the outside starts, wakes and schedules workflows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import Stage, TaskQueue
from domain import ids
from domain.orders import Brief, VideoState
from domain.policy import OrderPolicy
from workflows.contracts import KieCallback, Nothing, OrderInput, Payload, ResendInput, VideoClosed
from workflows.housekeeping import Housekeeping
from workflows.namespace import housekeeping_every, probe_every
from workflows.orders import VideoOrder, summary_of
from workflows.probing import KieProbe
from workflows.resending import VideoResend
from workflows.retention import MediaRetention
from workflows.search_attributes import ORDER_STAGE, TG_USER_ID
from workflows.videos import Video

_RPC_TIMEOUT: Final = timedelta(seconds=3)
_HOUSEKEEPING_ID: Final = "housekeeping"
_PROBE_ID: Final = "kie-probe"
_RETENTION_ID: Final = "media-retention"
_RETENTION_EVERY: Final = timedelta(days=1)
_SCHEDULE_TIMEOUT: Final = timedelta(seconds=10)


class TemporalUnavailable(Exception):
    """The Temporal server did not answer. What was to be started is still in the database."""


class Delivered(StrEnum):
    """What became of a signal."""

    DELIVERED = "delivered"
    NO_SUCH_WORKFLOW = "no_such_workflow"


class OrderToStart(Protocol):
    """What the start needs of an order's row."""

    @property
    def tg_user_id(self) -> int | None: ...
    @property
    def video_count(self) -> int: ...
    @property
    def brief(self) -> Brief: ...


class ReadsOrders(Protocol):
    async def read(self, order_id: str) -> OrderToStart: ...


# A lazy client that cannot connect raises RuntimeError; a connected one whose server went away, RPCError.
_UNAVAILABLE: Final = (RPCError, RuntimeError)


class WorkflowStarter:
    """Starting twice is starting once: the workflow's id is the order's."""

    def __init__(self, client: Client, orders: ReadsOrders, policy: OrderPolicy) -> None:
        self._client = client
        self._orders = orders
        self._policy = policy

    async def start_order(self, order_id: str) -> None:
        """Raise TemporalUnavailable within about three seconds."""
        order = await self._orders.read(order_id)
        tg_user_id = order.tg_user_id or 0
        start = OrderInput(
            order_id=order_id,
            tg_user_id=tg_user_id,
            video_count=order.video_count,
            template=order.brief.template.value,
            policy=self._policy,
        )
        attributes = TypedSearchAttributes(
            [
                SearchAttributePair(ORDER_STAGE, Stage.ACCEPTED.value),
                SearchAttributePair(TG_USER_ID, tg_user_id),
            ]
        )
        try:
            await self._client.start_workflow(
                VideoOrder.run,
                start,
                id=ids.order_workflow_id(order_id),
                task_queue=TaskQueue.ORDERS.value,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=attributes,
                static_summary=summary_of(order.brief.template.value, order.video_count),
                static_details=f"order `{order_id}` of user {tg_user_id}; its videos are its children",
                rpc_timeout=_RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return
        except _UNAVAILABLE as error:
            raise TemporalUnavailable(type(error).__name__) from error

    async def resend(self, video_id: str) -> None:
        """Send a video that waited for its user; raise TemporalUnavailable."""
        try:
            await self._client.start_workflow(
                VideoResend.run,
                ResendInput(video_id=video_id, policy=self._policy),
                id=f"resend-{video_id}",
                task_queue=TaskQueue.ORDERS.value,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                rpc_timeout=_RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return
        except _UNAVAILABLE as error:
            raise TemporalUnavailable(type(error).__name__) from error

    async def videos_cancelled(self, order_id: str, video_ids: Sequence[str]) -> None:
        """Wake those who work on them: the rows are closed already, and decide. Raise TemporalUnavailable."""
        for video_id in video_ids:
            await self._signal(ids.video_workflow_id(video_id), Video.settled)
        for video_id in video_ids:
            closed = VideoClosed(video_id=video_id, state=VideoState.CANCELLED)
            await self._signal(ids.order_workflow_id(order_id), VideoOrder.video_closed, closed)

    async def _signal(self, workflow_id: str, signal: Callable[..., Any], *said: Payload) -> None:
        """A workflow that is not there has nothing to be woken from."""
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            await handle.signal(signal, args=said, rpc_timeout=_RPC_TIMEOUT)
        except _UNAVAILABLE as error:
            if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
                return
            raise TemporalUnavailable(type(error).__name__) from error


async def signal_kie_callback(client: Client, attempt_id: str, kie_task_id: str) -> Delivered:
    """Wake the video of an attempt; raise TemporalUnavailable."""
    workflow_id = ids.video_workflow_id(ids.video_id_of_attempt(attempt_id))
    callback = KieCallback(attempt_id=attempt_id, kie_task_id=kie_task_id)
    try:
        await client.get_workflow_handle(workflow_id).signal(
            Video.kie_callback, callback, rpc_timeout=_RPC_TIMEOUT
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return Delivered.NO_SUCH_WORKFLOW
        raise TemporalUnavailable(error.status.name) from error
    except RuntimeError as error:
        raise TemporalUnavailable("not connected") from error
    return Delivered.DELIVERED


async def ensure_schedules(client: Client, time_scale: float = 1.0) -> None:
    """Repeatable; a schedule that an earlier release or setting made otherwise becomes as it is said here."""
    for schedule_id, schedule in _schedules(time_scale).items():
        await _ensure_schedule(client, schedule_id, schedule)


def _schedules(time_scale: float) -> dict[str, Schedule]:
    queue = TaskQueue.ORDERS.value
    housekeeping = ScheduleActionStartWorkflow(Housekeeping.run, id=_HOUSEKEEPING_ID, task_queue=queue)
    probe = ScheduleActionStartWorkflow(
        KieProbe.run, Nothing(), id=_PROBE_ID, task_queue=queue, static_summary="balance of every KIE account"
    )
    retention = ScheduleActionStartWorkflow(
        MediaRetention.run,
        Nothing(),
        id=_RETENTION_ID,
        task_queue=queue,
        static_summary="media past its time",
    )
    return {
        _RETENTION_ID: _schedule(retention, _RETENTION_EVERY),
        _HOUSEKEEPING_ID: _schedule(housekeeping, housekeeping_every(time_scale)),
        _PROBE_ID: _schedule(probe, probe_every(time_scale)),
    }


def _schedule(action: ScheduleActionStartWorkflow, every: timedelta) -> Schedule:
    return Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )


async def _ensure_schedule(client: Client, schedule_id: str, wanted: Schedule) -> None:
    try:
        await client.create_schedule(schedule_id, wanted, rpc_timeout=_SCHEDULE_TIMEOUT)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(schedule_id)
        await handle.update(lambda found: _changed(found, wanted), rpc_timeout=_SCHEDULE_TIMEOUT)


def _changed(found: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate | None:
    """None leaves it alone. A schedule that somebody paused stays paused."""
    known = found.description.schedule
    if known.spec.intervals == wanted.spec.intervals:
        return None
    return ScheduleUpdate(replace(wanted, state=known.state))
