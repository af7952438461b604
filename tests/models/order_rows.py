"""Orders and videos of one example in memory, with the rules of the database."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.contracts import (
    AttemptFacts,
    CancelOrder,
    CancelResult,
    FailedCreateFact,
    NextStep,
    Nothing,
    OrderProgress,
    ReleaseOrder,
    ReservationResult,
    SettleResult,
    SettleVideo,
    VideoFacts,
    VideoRef,
)
from activities.failing import already_settled, final
from domain import ids
from domain.attempts import (
    AttemptPhase,
    AttemptRow,
)
from domain.failures import Failure, FailureClass
from domain.orders import AttemptState, VideoState
from domain.video_models import CATALOGUE
from tests.models.order_books import Chat, KieBook
from tests.models.order_plan import (
    AttemptPlan,
    OrderPlan,
    Poll,
    VideoPlan,
)

DEADLINE: Final = timedelta(hours=1)
START: Final = datetime(2026, 11, 21, 18, tzinfo=UTC)
_BOUGHT: Final = frozenset({AttemptState.SENDING, AttemptState.ACCEPTED, AttemptState.AMBIGUOUS})


@dataclass
class Video:
    """`message` is what the row of its delivery says."""

    id: str
    plan: VideoPlan
    state: VideoState = VideoState.OPEN
    opened: bool = False
    kept: bool = False
    message: str = ""
    failure_class: FailureClass | None = None
    settled_at: datetime | None = None
    entries: list[str] = field(default_factory=list)
    attempts: list[AttemptRow] = field(default_factory=list)
    raised: list[FailureClass] = field(default_factory=list)
    chat: Chat = field(default_factory=Chat)
    told_cancelled: bool = False

    def __post_init__(self) -> None:
        self.queue_left = self.plan.queue_rounds
        self.plans: dict[str, AttemptPlan] = {}
        self.uploads_broken: set[str] = set()
        self.too_early: set[str] = set()
        self.planned = deque(self.plan.attempts)
        self.results = deque(self.plan.results)
        self.sends = deque(self.plan.sends)
        self.polls: dict[str, deque[Poll]] = {}

    @property
    def stoppable(self) -> bool:
        bought = any(row.state in _BOUGHT and row.phase is not AttemptPhase.FAIL for row in self.attempts)
        return self.state is VideoState.OPEN and not bought


Signal = Callable[[str, str], Awaitable[None]]


class WorkerDied(ApplicationError):
    def __init__(self) -> None:
        super().__init__("its worker died", type="WorkerDied", category=ApplicationErrorCategory.BENIGN)


class OrderRows:
    """`now` is the server's time. `dying`: the worker of this call does what it does and never answers."""

    def __init__(self, order_id: str, plan: OrderPlan, signal: Signal) -> None:
        self.order_id = order_id
        self.plan = plan
        self.now = START
        self.deadline_at = START
        self.dying = False
        self.calls: list[str] = []
        self.endless = asyncio.Event()
        self.running: Counter[str] = Counter()
        self.kie = KieBook()
        self.complaints: list[str] = []
        self.alerts: list[str] = []
        self.released = False
        self.told: list[str] = []
        self._signal = signal
        names = (ids.video_id(order_id, number) for number in range(1, len(plan.videos) + 1))
        self.videos = {name: Video(name, each) for name, each in zip(names, plan.videos, strict=True)}

    async def answer(self, name: str, request: Any) -> BaseModel:
        self.calls.append(name)
        if len(self.calls) == 1:
            self.deadline_at = self.now + DEADLINE
        method = getattr(self, name, None)
        if method is None:
            return Nothing()
        answer: BaseModel = await method(request)
        return answer

    # -- orders

    async def reserve_credits(self, _: Any) -> BaseModel:
        return ReservationResult(reserved=self.plan.reserved)

    async def release_order(self, release: ReleaseOrder) -> BaseModel:
        self.released = True
        for video in self.videos.values():
            if video.state is VideoState.OPEN and not video.opened:
                self.close(video, VideoState.FAILED, FailureClass(release.failure_class))
        return self.progress()

    async def cancel_order(self, cancel: CancelOrder) -> BaseModel:
        asked = [self.videos[cancel.video_id]] if cancel.video_id else list(self.videos.values())
        self.cancel_rows(asked)
        cancelled = (video.id for video in asked if video.state is VideoState.CANCELLED)
        return CancelResult(cancelled_video_ids=tuple(cancelled))

    def cancel_rows(self, videos: Iterable[Video]) -> list[str]:
        stopped = [video for video in videos if video.stoppable]
        for video in stopped:
            self.close(video, VideoState.CANCELLED)
        return [video.id for video in stopped]

    async def read_progress(self, _: Any) -> BaseModel:
        return self.progress()

    close_order = tell_long_wait = read_progress

    def progress(self) -> OrderProgress:
        states = [video.state for video in self.videos.values()]
        return OrderProgress(
            open=sum(not state.closed for state in states),
            delivered=states.count(VideoState.DELIVERED),
            waiting=states.count(VideoState.WAITING),
            failed=states.count(VideoState.FAILED),
            cancelled=states.count(VideoState.CANCELLED),
        )

    async def _prepare(self, _: Any) -> BaseModel:
        if all(video.state.closed for video in self.videos.values()):
            raise already_settled()
        if self.calls[-1] == self.plan.refused_at:
            raise final(Failure(self.plan.refused_as))
        return Nothing()

    fetch_photo = moderate_brief = write_scripts = _prepare

    # -- a video's rows

    async def open_video(self, ref: VideoRef) -> BaseModel:
        video = self._open(ref.video_id)
        video.opened = True
        step, attempt = NextStep.CREATE, None
        if video.kept:
            step = NextStep.DELIVER
        elif video.attempts and not video.attempts[-1].allows_another_create:
            attempt = attempt_facts(video.attempts[-1])
            success = video.attempts[-1].phase is AttemptPhase.SUCCESS
            step = NextStep.FETCH_RESULT if success else NextStep.RESUME_ATTEMPT
        return VideoFacts(
            next_step=step,
            seconds_to_deadline=(self.deadline_at - self.now).total_seconds(),
            attempt=attempt,
            failed_creates=tuple(_failed(row) for row in video.attempts if row.failure),
        )

    async def settle_video(self, settle: SettleVideo) -> BaseModel:
        video = self.videos[settle.video_id]
        won = not video.state.closed
        if won:
            failure_class = FailureClass(settle.failure_class) if settle.failure_class else None
            self.close(video, settle.state, failure_class)
        return SettleResult(captured=video.state.captured, state=video.state, won=won)

    def close(self, video: Video, state: VideoState, failure_class: FailureClass | None = None) -> None:
        video.state = state
        video.failure_class = failure_class
        video.settled_at = self.now
        video.entries.append("capture" if state.captured else "refund")

    def _open(self, video_id: str) -> Video:
        video = self.videos[video_id]
        if video.state.closed:
            raise already_settled()
        return video

    def _require(self, holds: bool, complaint: str) -> None:  # noqa: FBT001 - reads like an assertion
        if not holds:
            self.complaints.append(complaint)


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


def _failed(row: AttemptRow) -> FailedCreateFact:
    failure = row.failure or Failure(FailureClass.UNKNOWN)
    return FailedCreateFact(
        account=row.account, video_model=row.video_model, failure_class=failure.failure_class.value
    )
