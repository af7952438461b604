"""Credits and rows: PostgreSQL only."""

from datetime import timedelta
from typing import Final

from temporalio import activity

from activities import contracts
from activities.contracts import (
    AttemptFacts,
    AttemptRef,
    CancelOrder,
    CancelResult,
    FailedCreateFact,
    HousekeepingResult,
    NextStep,
    Nothing,
    OrderProgress,
    OrderRef,
    ReleaseOrder,
    ReservationResult,
    SettleResult,
    SettleVideo,
    VideoFacts,
    VideoRef,
)
from activities.failing import already_settled
from domain.attempts import AttemptPhase, AttemptRow
from domain.clock import Clock
from domain.failures import Failure, FailureClass
from domain.orders import VideoState
from domain.video_models import CATALOGUE
from store.orders import Progress
from store.stores import Stores
from store.videos import AlreadySettled

_UNDER_WAY: Final = frozenset(
    {AttemptPhase.INTENT, AttemptPhase.SENDING, AttemptPhase.AMBIGUOUS, AttemptPhase.RUNNING}
)
_OVERDUE_GRACE: Final = timedelta(seconds=60)


class OrderActivities:
    def __init__(self, stores: Stores, clock: Clock) -> None:
        self._orders = stores.orders
        self._videos = stores.videos
        self._admission = stores.admission
        self._clock = clock

    @activity.defn(name=contracts.RESERVE_CREDITS.name)
    async def reserve_credits(self, ref: OrderRef) -> ReservationResult:
        return ReservationResult(reserved=await self._orders.reserve(ref.order_id))

    @activity.defn(name=contracts.RELEASE_ORDER.name)
    async def release_order(self, release: ReleaseOrder) -> OrderProgress:
        failure_class = FailureClass(release.failure_class)
        return progress_of(await self._orders.release(release.order_id, failure_class, release.reason))

    @activity.defn(name=contracts.CANCEL_ORDER.name)
    async def cancel_order(self, cancel: CancelOrder) -> CancelResult:
        """Each video by itself: what may have been bought goes on."""
        video_ids = [cancel.video_id] if cancel.video_id else await self._videos.of_order(cancel.order_id)
        settled = {video_id: await self._videos.cancel(video_id) for video_id in video_ids}
        cancelled = [each for each, now in settled.items() if now.state is VideoState.CANCELLED]
        return CancelResult(cancelled_video_ids=tuple(cancelled))

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
        settled = await self._videos.settle(settle.video_id, settle.state, failure)
        return SettleResult(captured=settled.captured, state=settled.state, won=settled.won)

    @activity.defn(name=contracts.ABANDON_ATTEMPT.name)
    async def abandon_attempt(self, ref: AttemptRef) -> Nothing:
        await self._admission.abandon(ref.attempt_id)
        return Nothing()

    @activity.defn(name=contracts.SETTLE_ABANDONED.name)
    async def settle_abandoned(self, _: Nothing) -> HousekeepingResult:
        """OPEN ones are refunded; one that was being delivered is captured, and offered again."""
        refunded, captured = [], []
        for video_id, state in await self._videos.overdue(_OVERDUE_GRACE):
            if state is VideoState.OPEN:
                failure = Failure(FailureClass.TIMED_OUT)
                settled = await self._videos.settle(video_id, VideoState.FAILED, failure, only_open=True)
                refunded.extend([video_id] if settled.won else [])
            else:
                settled = await self._videos.settle(video_id, VideoState.DELIVERED)
                captured.extend([video_id] if settled.won else [])
        return HousekeepingResult(refunded_video_ids=tuple(refunded), captured_video_ids=tuple(captured))


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
