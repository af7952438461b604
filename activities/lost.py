"""Finds what stands open without a workflow (terminated, failed, deleted by hand), and settles it."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import structlog
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus as Status
from temporalio.api.errordetails.v1 import NotFoundFailure
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities import contracts
from activities.contracts import Nothing, SettleResult, VideoRef
from activities.failing import unreachable
from activities.orders import settle_abandoned
from activities.payloads import LostOrder, LostWork
from activities.vanished import note_vanished
from domain.clock import Clock
from domain.failures import Failure, FailureClass
from domain.orders import VideoState
from domain.policy import OrderPolicy
from store.lost_work import LostWorkRows, UnclosedOrder, WatchedVideo
from store.stores import Stores
from store.videos import UnknownVideo

_RPC_TIMEOUT: Final = timedelta(seconds=5)
_ASKED_AT_ONCE: Final = 16
_WATCHED_MAX: Final = 1_000
_SETTLED_AT_ONCE_MAX: Final = 100  # in one run of a workflow; the next comes in a minute
_FAILURE: Final = Failure(FailureClass.UNKNOWN)

# Whatever is not known to be over may still be worked on: also a paused workflow, and what comes some day.
_OVER: Final = frozenset(
    {
        Status.WORKFLOW_EXECUTION_STATUS_COMPLETED,
        Status.WORKFLOW_EXECUTION_STATUS_FAILED,
        Status.WORKFLOW_EXECUTION_STATUS_CANCELED,
        Status.WORKFLOW_EXECUTION_STATUS_TERMINATED,
        Status.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
    }
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Graces:
    """How long what has ended is left alone: somebody may be about to reset it, and its last activity may
    still be running. A workflow that is missing does not say since when.
    """

    ended: timedelta
    ended_sending: timedelta
    missing: timedelta
    missing_sending: timedelta  # since the result was kept

    @classmethod
    def of(cls, policy: OrderPolicy, time_scale: float = 1.0) -> Self:
        ended = timedelta(minutes=2) * time_scale
        one_send = timedelta(seconds=policy.send_timeout_seconds)
        sending = timedelta(seconds=policy.sending_wait_seconds) + one_send
        return cls(ended, ended + one_send, timedelta(minutes=5) * time_scale, ended + sending)


@dataclass(frozen=True, slots=True)
class End:
    """Of a workflow's current run; `at` is None where Temporal knows no such workflow."""

    at: datetime | None


class WorkflowEnds:
    """Asks Temporal below the SDK's own `describe`, which cannot read a status that is new to it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def of(self, workflow_ids: Iterable[str]) -> Mapping[str, End]:
        """Of those that are over. Raise ApplicationError when Temporal does not answer for one of them."""
        gate = asyncio.Semaphore(_ASKED_AT_ONCE)
        asked = sorted(set(workflow_ids))
        ends = await asyncio.gather(*(self._ask(workflow_id, gate) for workflow_id in asked))
        return {workflow_id: end for workflow_id, end in zip(asked, ends, strict=True) if end is not None}

    async def _ask(self, workflow_id: str, gate: asyncio.Semaphore) -> End | None:
        request = DescribeWorkflowExecutionRequest(
            namespace=self._client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
        )
        try:
            async with gate:
                answer = await self._client.workflow_service.describe_workflow_execution(
                    request, timeout=_RPC_TIMEOUT
                )
        except (RPCError, RuntimeError) as error:  # RuntimeError: it was never connected
            if isinstance(error, RPCError) and _is_missing(error):
                return End(None)
            raise unreachable("Temporal") from error
        info = answer.workflow_execution_info
        return End(info.close_time.ToDatetime(UTC)) if info.status in _OVER else None


class LostWorkActivities:
    def __init__(
        self, rows: LostWorkRows, stores: Stores, ends: WorkflowEnds, clock: Clock, graces: Graces
    ) -> None:
        self._rows = rows
        self._videos = stores.videos
        self._messages = stores.messages
        self._ends = ends
        self._clock = clock
        self._graces = graces

    @activity.defn(name=contracts.LIST_LOST.name)
    async def list_lost(self, _: Nothing) -> LostWork:
        now = self._clock()
        begun_before = now - self._graces.ended
        videos = await self._rows.watched_videos(now, begun_before, _WATCHED_MAX)
        orders = await self._rows.unclosed_orders(begun_before, _WATCHED_MAX)
        ends = await self._ends.of(_workflow_ids(videos, orders))
        lost = [video for video in videos if self._is_lost(video, ends, now)]
        to_settle = [video.id for video in lost if not _bought(video)]
        closable = [order for order in orders if self._is_order_lost(order, ends, now)]
        if lost or closable:
            _log.warning("workflows are lost", videos=len(lost), orders=len(closable))
        return LostWork(
            video_ids=tuple(to_settle[:_SETTLED_AT_ONCE_MAX]),
            bought_video_ids=tuple([each.id for each in lost if _bought(each)][:_SETTLED_AT_ONCE_MAX]),
            orders=tuple(
                LostOrder(order_id=each.id, video_count=each.video_count)
                for each in closable[:_SETTLED_AT_ONCE_MAX]
            ),
        )

    @activity.defn(name=contracts.SETTLE_LOST.name)
    async def settle_lost(self, ref: VideoRef) -> SettleResult:
        """What was bought since it was listed stays open."""
        try:
            video = await self._videos.read(ref.video_id)
        except UnknownVideo:
            note_vanished(ref.video_id)
            return SettleResult(captured=False, state=VideoState.OPEN, won=False)
        if video.state is VideoState.OPEN:
            settled = await self._videos.give_up(video.id, _FAILURE)
        else:
            settled = await settle_abandoned(self._videos, self._messages, video, _FAILURE)
        return SettleResult(captured=settled.captured, state=settled.state, won=settled.won)

    def _is_lost(self, video: WatchedVideo, ends: Mapping[str, End], now: datetime) -> bool:
        over = [ends.get(workflow_id) for workflow_id in video.workflow_ids]
        return all(end is not None and self._long_ago(video, end, now) for end in over)

    def _long_ago(self, video: WatchedVideo, end: End, now: datetime) -> bool:
        sending = video.state is VideoState.DELIVERING
        if end.at is not None:
            return end.at < now - (self._graces.ended_sending if sending else self._graces.ended)
        if sending:
            return video.ready_at is not None and video.ready_at < now - self._graces.missing_sending
        return video.begun_at < now - self._graces.missing

    def _is_order_lost(self, order: UnclosedOrder, ends: Mapping[str, End], now: datetime) -> bool:
        end = ends.get(order.workflow_id)
        if end is None:
            return False
        return (end.at or order.begun_at) < now - self._graces.ended


def _is_missing(error: RPCError) -> bool:
    """The workflow, and not the namespace: a server that does not know ours yet has lost nothing."""
    if error.status is not RPCStatusCode.NOT_FOUND:
        return False
    return any(detail.Is(NotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)


def _workflow_ids(videos: Iterable[WatchedVideo], orders: Iterable[UnclosedOrder]) -> list[str]:
    asked = [workflow_id for video in videos for workflow_id in video.workflow_ids]
    return [*asked, *(order.workflow_id for order in orders)]


def _bought(video: WatchedVideo) -> bool:
    """Nobody refunds what may be there soon: its workflow can be reset, and finds it."""
    return video.bought and video.state is VideoState.OPEN
