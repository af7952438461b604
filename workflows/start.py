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
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import Stage, TaskQueue
from activities.payloads import Payload
from domain import ids
from domain.orders import Brief, VideoState
from domain.policy import OrderPolicy
from workflows.broadcasting import Broadcast
from workflows.contracts import (
    BroadcastInput,
    InvariantCheckInput,
    KieCallback,
    Nothing,
    OrderInput,
    ResendInput,
    VideoClosed,
)
from workflows.housekeeping import Housekeeping
from workflows.invariants import InvariantCheck
from workflows.namespace import housekeeping_every, invariants_every, probe_every
from workflows.orders import VideoOrder, summary_of
from workflows.probing import KieProbe
from workflows.reporting import DailyReport
from workflows.resending import VideoResend
from workflows.retention import MediaRetention
from workflows.schedule_changes import is_as_said
from workflows.search_attributes import ORDER_STAGE, TG_USER_ID
from workflows.videos import Video

_RPC_TIMEOUT: Final = timedelta(seconds=3)
_HOUSEKEEPING_ID: Final = "housekeeping"
_PROBE_ID: Final = "kie-probe"
_RETENTION_ID: Final = "media-retention"
_INVARIANTS_ID: Final = "invariants"
_INVARIANTS_COMPLETE_ID: Final = "invariants-complete"
_REPORT_ID: Final = "daily-report"
_RETENTION_EVERY: Final = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1))])
# UTC: half past six in Moscow, when nobody orders. Written as the server gives it back.
_HALF_PAST_THREE: Final = ScheduleSpec(
    calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(3, 3),), minute=(ScheduleRange(30, 30),))]
)
# UTC: nine in Moscow.
_SIX: Final = ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(6, 6),))])
# What Temporal missed while it was away it starts when it is back: of a week of reports the last one.
_REPORT_CATCHUP: Final = timedelta(hours=20)
_CATCHUP: Final = timedelta(days=365)  # the server's own; said, so that it can be compared
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
                priority=_in_turn(tg_user_id),
                rpc_timeout=_RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return
        except _UNAVAILABLE as error:
            raise TemporalUnavailable(type(error).__name__) from error

    async def resend(self, video_id: str) -> None:
        """Send a video that waited for its user; raise TemporalUnavailable."""
        order = await self._orders.read(ids.order_id_of_video(video_id))
        try:
            await self._client.start_workflow(
                VideoResend.run,
                ResendInput(video_id=video_id, policy=self._policy),
                id=ids.resend_workflow_id(video_id),
                task_queue=TaskQueue.ORDERS.value,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                priority=_in_turn(order.tg_user_id or 0),
                rpc_timeout=_RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return
        except _UNAVAILABLE as error:
            raise TemporalUnavailable(type(error).__name__) from error

    async def videos_cancelled(self, order_id: str, video_ids: Sequence[str]) -> None:
        await self.videos_closed(order_id, video_ids, VideoState.CANCELLED)

    async def videos_closed(self, order_id: str, video_ids: Sequence[str], state: VideoState) -> None:
        """Wake those who work on them: the rows are closed already, and decide. Raise TemporalUnavailable."""
        await self.look_at_rows(video_ids)
        for video_id in video_ids:
            closed = VideoClosed(video_id=video_id, state=state)
            await self._signal(ids.order_workflow_id(order_id), VideoOrder.video_closed, closed)

    async def look_at_rows(self, video_ids: Sequence[str]) -> list[str]:
        """End their waits: each asks the rows, or KIE, at once. Those that run. Raise TemporalUnavailable."""
        return [each for each in video_ids if await self._signal(ids.video_workflow_id(each), Video.settled)]

    async def _signal(self, workflow_id: str, signal: Callable[..., Any], *said: Payload) -> bool:
        """False: a workflow that is not there has nothing to be woken from."""
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            await handle.signal(signal, args=said, rpc_timeout=_RPC_TIMEOUT)
        except _UNAVAILABLE as error:
            if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise TemporalUnavailable(type(error).__name__) from error
        return True


def _in_turn(tg_user_id: int) -> Priority:
    """Each queue serves users in turn, however much one of them has bought.

    The order's children and all their activities inherit it.
    """
    return Priority(fairness_key=str(tg_user_id))


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


async def start_broadcast(client: Client, broadcast_id: str, users_total: int, policy: OrderPolicy) -> bool:
    """False: it runs already. Raise TemporalUnavailable; its row stays, and it can be started later."""
    try:
        await client.start_workflow(
            Broadcast.run,
            BroadcastInput(broadcast_id=broadcast_id, policy=policy),
            id=ids.broadcast_workflow_id(broadcast_id),
            task_queue=TaskQueue.ORDERS.value,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=f"a message to {users_total} users",
            static_details=f"`admin_main.py broadcast progress {broadcast_id}` shows text and progress",
            rpc_timeout=_RPC_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        return False
    except _UNAVAILABLE as error:
        raise TemporalUnavailable(type(error).__name__) from error
    return True


async def wake_broadcast(client: Client, broadcast_id: str) -> None:
    """It was cancelled; where nobody works on it there is nobody to wake. Raise TemporalUnavailable."""
    handle = client.get_workflow_handle(ids.broadcast_workflow_id(broadcast_id))
    try:
        await handle.signal(Broadcast.cancelled, rpc_timeout=_RPC_TIMEOUT)
    except _UNAVAILABLE as error:
        if not isinstance(error, RPCError) or error.status is not RPCStatusCode.NOT_FOUND:
            raise TemporalUnavailable(type(error).__name__) from error


async def ensure_schedules(client: Client, time_scale: float = 1.0) -> None:
    """Repeatable; a schedule that an earlier release or setting made otherwise becomes as it is said here."""
    for schedule_id, schedule in _schedules(time_scale).items():
        await _ensure_schedule(client, schedule_id, schedule)


def schedule_ids() -> list[str]:
    """What `ensure_schedules` makes."""
    return list(_schedules(1.0))


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
    report = ScheduleActionStartWorkflow(
        DailyReport.run, Nothing(), id=_REPORT_ID, task_queue=queue, static_summary="yesterday, to the admins"
    )
    return {
        _REPORT_ID: _schedule(report, _SIX, _REPORT_CATCHUP),
        _RETENTION_ID: _schedule(retention, _RETENTION_EVERY),
        _HOUSEKEEPING_ID: _schedule(housekeeping, _every(housekeeping_every(time_scale))),
        _PROBE_ID: _schedule(probe, _every(probe_every(time_scale))),
        _INVARIANTS_ID: _schedule(_check(_INVARIANTS_ID), _every(invariants_every(time_scale))),
        _INVARIANTS_COMPLETE_ID: _schedule(_check(_INVARIANTS_COMPLETE_ID, complete=True), _HALF_PAST_THREE),
    }


def _check(workflow_id: str, *, complete: bool = False) -> ScheduleActionStartWorkflow:
    return ScheduleActionStartWorkflow(
        InvariantCheck.run,
        InvariantCheckInput(complete=complete),
        id=workflow_id,
        task_queue=TaskQueue.ORDERS.value,
        static_summary="what must always be true, " + ("of every row" if complete else "of what was written"),
    )


def _every(pause: timedelta) -> ScheduleSpec:
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=pause)])


def _schedule(
    action: ScheduleActionStartWorkflow, spec: ScheduleSpec, catchup: timedelta = _CATCHUP
) -> Schedule:
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=catchup)
    return Schedule(action=action, spec=spec, policy=policy)


async def _ensure_schedule(client: Client, schedule_id: str, wanted: Schedule) -> None:
    async def changed(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
        """None leaves it alone. A schedule that somebody paused stays paused."""
        known = found.description.schedule
        if await is_as_said(client.data_converter, known, wanted):
            return None
        return ScheduleUpdate(replace(wanted, state=known.state))

    try:
        await client.create_schedule(schedule_id, wanted, rpc_timeout=_SCHEDULE_TIMEOUT)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(schedule_id).update(changed, rpc_timeout=_SCHEDULE_TIMEOUT)
