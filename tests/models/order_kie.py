"""Create calls of one example, whose rows change as `domain.attempts` says, and the KIE that was planned."""

from collections import deque
from typing import Final

from pydantic import BaseModel
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.contracts import (
    SIGNAL_ADMITTED,
    AdmissionAnswer,
    AdmissionRequest,
    AttemptRef,
    CheckKieTask,
    CreateOutcome,
    CreateRequest,
    CreateResult,
    FetchResult,
    KieTaskFacts,
    KieTaskStatus,
    Nothing,
    UploadedPhoto,
)
from activities.failing import already_settled, final, unreachable
from domain import ids
from domain.attempts import (
    NOTHING_SAID,
    AttemptEvent,
    AttemptPhase,
    AttemptRow,
    KieSaid,
    advance,
    standing_attempt,
)
from domain.failures import Failure, FailureClass
from domain.orders import AttemptState
from domain.video_models import CATALOGUE
from tests.models.order_plan import (
    AttemptPlan,
    Callback,
    Create,
    End,
    Poll,
    Result,
    Upload,
)
from tests.models.order_rows import OrderRows, Video, WorkerDied, attempt_facts

ACCOUNTS: Final = ("alpha", "beta")
MODELS: Final = tuple(CATALOGUE)[:2]
FOREIGN_TASK: Final = "of somebody else"
_GIVEN_UP: Final = frozenset({AttemptPhase.LOST, AttemptPhase.ABANDONED, AttemptPhase.LATE})
_WELL: Final = AttemptPlan()


class KieRows(OrderRows):
    async def admit_video(self, request: AdmissionRequest) -> BaseModel:
        video = self._open(request.video_id)
        standing = standing_attempt(video.attempts)
        if standing is not None and not self._unfit(standing, request):
            return self._taken_up(video, standing)
        if standing is not None:
            self._advance(video, standing, AttemptEvent.ABANDON)
        account = self._account_for(video, request)
        model = next((slug for slug in MODELS if slug not in request.excluded_models), "")
        if not model:
            raise self._failing(video, Failure(FailureClass.MODEL_UNAVAILABLE))
        if video.queue_left:
            video.queue_left -= 1
            if not video.queue_left:
                await self._signal(video.id, SIGNAL_ADMITTED)
            return AdmissionAnswer(place=video.queue_left + 1)
        return AdmissionAnswer(attempt=attempt_facts(self._insert_attempt(video, account, model)))

    def _unfit(self, standing: AttemptRow, request: AdmissionRequest) -> bool:
        excluded = standing.account in request.excluded_accounts
        excluded = excluded or standing.video_model in request.excluded_models
        return excluded and standing.phase is AttemptPhase.INTENT

    def _taken_up(self, video: Video, standing: AttemptRow) -> AdmissionAnswer:
        if standing.phase in _GIVEN_UP:
            raise self._failing(video, Failure(FailureClass.TIMED_OUT))
        return AdmissionAnswer(attempt=attempt_facts(standing))

    def _account_for(self, video: Video, request: AdmissionRequest) -> str:
        left = [name for name in ACCOUNTS if name not in request.excluded_accounts]
        if not left:
            raise self._failing(video, Failure(FailureClass.BILLING))
        return next((name for name in left if name not in request.avoided_accounts), left[0])

    def _insert_attempt(self, video: Video, account: str, model: str) -> AttemptRow:
        number = len(video.attempts) + 1
        row = AttemptRow(
            id=ids.attempt_id(video.id, number),
            video_id=video.id,
            user_id=1,
            number=number,
            video_model=model,
            account=account,
            key_id=account,
            state=AttemptState.INTENT,
            admitted_at=self.now,
        )
        video.attempts.append(row)
        plan = video.planned.popleft() if video.planned else _WELL
        video.plans[row.id] = plan
        video.polls[row.id] = deque(plan.polls)
        return row

    async def upload_photo(self, ref: AttemptRef) -> BaseModel:
        video, row = self._attempt(ref.attempt_id)
        plan = video.plans[row.id]
        if plan.upload is Upload.UNREACHABLE and row.id not in video.uploads_broken:
            video.uploads_broken.add(row.id)
            raise unreachable("KIE")
        if plan.upload is Upload.REFUSED:
            self._advance(video, row, AttemptEvent.ABANDON)
            raise self._failing(video, Failure(plan.failure_class), row.id)
        return UploadedPhoto(url="http://kie/photo.jpg")

    async def create_kie_task(self, request: CreateRequest) -> BaseModel:
        video, row = self._attempt(request.attempt_id)
        if row.phase is AttemptPhase.SENDING:
            row = self._advance(video, row, AttemptEvent.START)
        if video.state.closed:
            raise already_settled()
        if row.phase is not AttemptPhase.INTENT:
            return self._become(video, row)
        plan = video.plans[row.id]
        if plan.create is Create.TOO_EARLY and row.id not in video.too_early:
            video.too_early.add(row.id)
            return CreateResult(outcome=CreateOutcome.TOO_EARLY, wait_seconds=5)
        row = self._advance(video, row, AttemptEvent.START)
        return await self._send_create(video, row, plan)

    async def _send_create(self, video: Video, row: AttemptRow, plan: AttemptPlan) -> BaseModel:
        if plan.create is Create.NOT_SENT:
            event, said = AttemptEvent.FAIL_TO_SEND, NOTHING_SAID
        else:
            event, said = await self._reach_kie(video, row, plan)
        if self.dying or plan.create is Create.DIED:
            raise WorkerDied  # nobody lived to write down what became of it
        return self._become(video, self._advance(video, row, event, said))

    async def _reach_kie(
        self, video: Video, row: AttemptRow, plan: AttemptPlan
    ) -> tuple[AttemptEvent, KieSaid]:
        task = self.kie.create(video.id, row.id, plan, self.now)
        if self.dying or plan.create is Create.DIED:
            self.kie.unanswered.add(video.id)
        if task and plan.callback in {Callback.EARLY, Callback.TWICE}:
            await self._signal(row.id, task.id)
        if plan.callback is Callback.FORGED:
            await self._signal(row.id, FOREIGN_TASK)
        if plan.create is Create.REJECTED:
            return AttemptEvent.REJECT, KieSaid(failure=Failure(plan.failure_class))
        if task is None or plan.create is Create.LOST_BOUGHT:
            return AttemptEvent.LOSE_ANSWER, NOTHING_SAID
        return AttemptEvent.ACCEPT, KieSaid(kie_task_id=task.id)

    def _become(self, video: Video, row: AttemptRow) -> BaseModel:
        if row.failure is not None:
            raise self._failing(video, row.failure, row.id)
        if row.phase is AttemptPhase.NOT_SENT:
            return CreateResult(outcome=CreateOutcome.NOT_SENT)
        if row.kie_task_id:
            return CreateResult(outcome=CreateOutcome.ACCEPTED, kie_task_id=row.kie_task_id)
        return CreateResult(outcome=CreateOutcome.AMBIGUOUS)

    async def check_kie_task(self, check: CheckKieTask) -> BaseModel:
        video, row = self._attempt(check.attempt_id)
        trouble = video.polls[row.id].popleft() if video.polls[row.id] else Poll.GOOD
        if trouble is Poll.BROKEN:
            raise ApplicationError(
                "a bug", type="ValueError", non_retryable=True, category=ApplicationErrorCategory.BENIGN
            )
        if video.state.closed:
            self._advance(video, row, AttemptEvent.ABANDON)
            raise already_settled()
        if row.failure is not None:
            raise self._failing(video, row.failure, row.id)
        task = self.kie.task(row.kie_task_id or check.candidate_kie_task_id)
        if trouble is Poll.UNREACHABLE:
            return _still(row, reachable=False)
        if task is None or task.attempt_id != row.id:
            return _still(row, reachable=True)
        row = self._advance(video, row, AttemptEvent.ACCEPT, KieSaid(kie_task_id=task.id))
        if task.plan.end is End.NEVER or self.now < task.ends_at:
            return _still(row, reachable=True)
        if task.plan.end is End.FAIL:
            failure = Failure(task.plan.failure_class)
            self._advance(video, row, AttemptEvent.FAIL, KieSaid(failure=failure))
            raise self._failing(video, failure, row.id)
        self._advance(video, row, AttemptEvent.SUCCEED)
        return KieTaskFacts(status=KieTaskStatus.SUCCESS, kie_task_id=task.id)

    async def abandon_attempt(self, ref: AttemptRef) -> BaseModel:
        video, row = self._attempt(ref.attempt_id)
        self._advance(video, row, AttemptEvent.ABANDON)
        return Nothing()

    async def fetch_result(self, fetch: FetchResult) -> BaseModel:
        video, row = self._attempt(fetch.attempt_id)
        if row.phase is not AttemptPhase.SUCCESS:
            self.complaints.append(f"{row.id} was fetched in phase {row.phase}")
        if video.plans[row.id].callback in {Callback.LATE, Callback.TWICE}:
            await self._signal(row.id, row.kie_task_id or "")
        result = Result.GOOD if video.kept or not video.results else video.results.popleft()
        if result is Result.UNREACHABLE:
            raise unreachable("KIE's files")
        if result is Result.BROKEN:
            raise self._failing(video, Failure(FailureClass.RESULT))
        video.kept = True
        return Nothing()

    def _attempt(self, attempt_id: str) -> tuple[Video, AttemptRow]:
        video = self.videos[ids.video_id_of_attempt(attempt_id)]
        return video, next(row for row in video.attempts if row.id == attempt_id)

    def _advance(
        self, video: Video, row: AttemptRow, event: AttemptEvent, said: KieSaid = NOTHING_SAID
    ) -> AttemptRow:
        after = advance(row, event, self.now, said).attempt
        video.attempts[video.attempts.index(row)] = after
        return after

    def _failing(self, video: Video, failure: Failure, attempt_id: str = "") -> ApplicationError:
        video.raised.append(failure.failure_class)
        return final(failure, attempt_id)


def _still(row: AttemptRow, *, reachable: bool) -> KieTaskFacts:
    status = KieTaskStatus.RUNNING if row.kie_task_id else KieTaskStatus.UNADOPTED
    return KieTaskFacts(status=status, kie_task_id=row.kie_task_id or "", reachable=reachable)
