"""Credits and rows: PostgreSQL only."""

from datetime import timedelta
from typing import Final

import structlog
from temporalio import activity

from activities import contracts
from activities.contracts import (
    AttemptFacts,
    AttemptRef,
    CancelOrder,
    CancelResult,
    FailedCreateFact,
    NextStep,
    Nothing,
    OrderProgress,
    OrderRef,
    OverdueVideos,
    ReleaseOrder,
    ReservationResult,
    SettleResult,
    SettleVideo,
    VideoFacts,
    VideoRef,
)
from activities.failing import already_settled
from activities.vanished import note_vanished
from domain.attempts import AttemptPhase, AttemptRow
from domain.clock import Clock
from domain.failures import Failure, FailureClass
from domain.orders import MessagePurpose, MessageState, VideoState
from domain.video_models import CATALOGUE
from store.messages import MessageKey, Messages
from store.orders import Progress, UnknownOrder
from store.stores import Stores
from store.videos import AlreadySettled, Settlement, UnknownVideo, VideoRow, Videos

_log = structlog.get_logger(__name__)

_UNDER_WAY: Final = frozenset(
    {AttemptPhase.INTENT, AttemptPhase.SENDING, AttemptPhase.AMBIGUOUS, AttemptPhase.RUNNING}
)
_OPEN_GRACE: Final = timedelta(seconds=60)
_DELIVERING_GRACE: Final = timedelta(seconds=300)  # a last sending takes up to three minutes
_TELLING_GRACE: Final = timedelta(seconds=120)  # a living workflow has begun to tell by then
_OWED: Final = timedelta(minutes=15)


class OrderActivities:
    def __init__(self, stores: Stores, clock: Clock) -> None:
        self._orders = stores.orders
        self._videos = stores.videos
        self._admission = stores.admission
        self._messages = stores.messages
        self._clock = clock

    @activity.defn(name=contracts.RESERVE_CREDITS.name)
    async def reserve_credits(self, ref: OrderRef) -> ReservationResult:
        try:
            return ReservationResult(reserved=await self._orders.reserve(ref.order_id))
        except UnknownOrder:
            note_vanished(ref.order_id)
            return ReservationResult(reserved=False)

    @activity.defn(name=contracts.RELEASE_ORDER.name)
    async def release_order(self, release: ReleaseOrder) -> OrderProgress:
        failure_class = FailureClass(release.failure_class)
        try:
            return progress_of(await self._orders.release(release.order_id, failure_class, release.reason))
        except UnknownOrder:
            note_vanished(release.order_id)
            return OrderProgress()

    @activity.defn(name=contracts.CANCEL_ORDER.name)
    async def cancel_order(self, cancel: CancelOrder) -> CancelResult:
        """Each video by itself: what may have been bought goes on."""
        video_ids = [cancel.video_id] if cancel.video_id else await self._videos.of_order(cancel.order_id)
        cancelled = [video_id for video_id in video_ids if await self._is_cancelled(video_id)]
        return CancelResult(cancelled_video_ids=tuple(cancelled))

    async def _is_cancelled(self, video_id: str) -> bool:
        try:
            return (await self._videos.cancel(video_id)).state is VideoState.CANCELLED
        except UnknownVideo:
            note_vanished(video_id)
            return False

    @activity.defn(name=contracts.READ_PROGRESS.name)
    async def read_progress(self, ref: OrderRef) -> OrderProgress:
        return progress_of(await self._orders.progress(ref.order_id))

    @activity.defn(name=contracts.CLOSE_ORDER.name)
    async def close_order(self, ref: OrderRef) -> OrderProgress:
        return progress_of(await self._orders.close(ref.order_id))

    @activity.defn(name=contracts.OPEN_VIDEO.name)
    async def open_video(self, ref: VideoRef) -> VideoFacts:
        """Where the rows say this video stands; an earlier run's work is taken up, not repeated."""
        try:
            video = await self._videos.open(ref.video_id)
        except AlreadySettled:
            raise already_settled() from None
        attempts = await self._admission.attempts_of(ref.video_id)
        seconds = (video.deadline_at - self._clock()).total_seconds()
        step = NextStep.DELIVER if video.result_media_key else _next_step(attempts)
        taken_up = step in {NextStep.RESUME_ATTEMPT, NextStep.FETCH_RESULT}
        return VideoFacts(
            next_step=step,
            seconds_to_deadline=max(0.0, seconds),
            attempt=attempt_facts(attempts[-1]) if taken_up else None,
            failed_creates=tuple(_failed_create(row) for row in attempts if row.failure is not None),
        )

    @activity.defn(name=contracts.SETTLE_VIDEO.name)
    async def settle_video(self, settle: SettleVideo) -> SettleResult:
        failure = Failure(FailureClass(settle.failure_class), settle.reason) if settle.failure_class else None
        try:
            settled = await self._videos.settle(settle.video_id, settle.state, failure)
        except UnknownVideo:
            note_vanished(settle.video_id)
            return SettleResult(captured=False, state=VideoState.CANCELLED, won=False)
        return SettleResult(captured=settled.captured, state=settled.state, won=settled.won)

    @activity.defn(name=contracts.ABANDON_ATTEMPT.name)
    async def abandon_attempt(self, ref: AttemptRef) -> Nothing:
        """A KIE task that may have been paid for in vain is at least written down where it is looked for."""
        abandoned = await self._admission.abandon(ref.attempt_id)
        phase = abandoned.attempt.phase.value
        _log.warning("KIE task given up", attempt_id=ref.attempt_id, phase=phase)
        return Nothing()

    @activity.defn(name=contracts.LIST_OVERDUE.name)
    async def list_overdue(self, _: Nothing) -> OverdueVideos:
        """Past their deadline: their workflows, if they live, would have closed them.

        And settled without a word, because a workflow was reset or ended by hand in between: telling is owed.
        """
        overdue = await self._videos.overdue(_OPEN_GRACE, _DELIVERING_GRACE)
        untold = await self._videos.untold(_TELLING_GRACE, _TELLING_GRACE + _OWED)
        return OverdueVideos(video_ids=(*overdue, *untold))

    @activity.defn(name=contracts.SETTLE_OVERDUE.name)
    async def settle_overdue(self, ref: VideoRef) -> SettleResult:
        try:
            video = await self._videos.read(ref.video_id)
        except UnknownVideo:
            note_vanished(ref.video_id)
            return SettleResult(captured=False, state=VideoState.CANCELLED, won=False)
        settled = await settle_abandoned(self._videos, self._messages, video, Failure(FailureClass.TIMED_OUT))
        return SettleResult(captured=settled.captured, state=settled.state, won=settled.won)


async def settle_abandoned(
    videos: Videos, messages: Messages, video: VideoRow, failure: Failure
) -> Settlement:
    """Refunded, unless a sending may have succeeded: that is captured, and offered again."""
    delivery = await messages.find(MessageKey(video.order_id, MessagePurpose.DELIVERY, video.number))
    may_be_there = delivery is not None and delivery.state is not MessageState.REFUSED
    if video.state is VideoState.DELIVERING and may_be_there:
        return await videos.settle(video.id, VideoState.DELIVERED)
    return await videos.settle(video.id, VideoState.FAILED, failure)


def progress_of(progress: Progress) -> OrderProgress:
    return OrderProgress(
        open=progress.open,
        delivered=progress.delivered,
        waiting=progress.waiting,
        failed=progress.failed,
        cancelled=progress.cancelled,
    )


def attempt_facts(row: AttemptRow) -> AttemptFacts:
    return AttemptFacts(
        attempt_id=row.id,
        state=row.state.value,
        account=row.account,
        key_id=row.key_id,
        video_model=row.video_model,
        typical_seconds=CATALOGUE[row.video_model].typical_seconds,
        kie_task_id=row.kie_task_id or "",
    )


def _next_step(attempts: list[AttemptRow]) -> NextStep:
    if not attempts:
        return NextStep.CREATE
    if attempts[-1].phase is AttemptPhase.SUCCESS:
        return NextStep.FETCH_RESULT
    return NextStep.RESUME_ATTEMPT if attempts[-1].phase in _UNDER_WAY else NextStep.CREATE


def _failed_create(row: AttemptRow) -> FailedCreateFact:
    failure = row.failure or Failure(FailureClass.UNKNOWN)
    return FailedCreateFact(
        account=row.account,
        video_model=row.video_model,
        failure_class=failure.failure_class.value,
        reason=failure.reason,
        code=failure.code,
    )
