"""KIE: admission, upload, create, ask. One call each; PostgreSQL remembers what a lost answer forgets."""

import structlog
from temporalio import activity

from activities import contracts
from activities.contracts import (
    AdmissionAnswer,
    AdmissionRequest,
    AttemptRef,
    CheckKieTask,
    CreateOutcome,
    CreateRequest,
    CreateResult,
    KieTaskFacts,
    KieTaskStatus,
    UploadedPhoto,
)
from activities.failing import already_settled, final, unreachable
from activities.orders import attempt_facts
from activities.signals import WorkflowSignals
from clients.kie import (
    KieAmbiguous,
    KieClient,
    KieKeyUnknown,
    KieNotSent,
    KieRecord,
    KieRefused,
    KieTaskState,
    KieUnavailable,
    RecordNotVisible,
)
from clients.kie_wire import said_in
from clients.media import MediaStorage
from domain import ids
from domain.attempts import AttemptPhase, AttemptRow
from domain.failures import Failure, FailureClass
from domain.orders import VideoOptions
from domain.provider_words import provider_words
from store.admission import Forbidden, Granted, NoneServes
from store.attempts import BeginCreate
from store.services import Outside
from store.stores import Stores
from store.videos import AlreadySettled

_log = structlog.get_logger(__name__)

_SERVICE = Outside.KIE
_FOREIGN_KEY = Failure(FailureClass.TEMPORARY, code="a key this worker does not have")
_GIVEN_UP = frozenset({AttemptPhase.LOST, AttemptPhase.ABANDONED, AttemptPhase.LATE})


class KieActivities:
    def __init__(self, kie: KieClient, stores: Stores, media: MediaStorage, signals: WorkflowSignals) -> None:
        self._kie = kie
        self._admission = stores.admission
        self._accounts = stores.accounts
        self._services = stores.services
        self._videos = stores.videos
        self._media = media
        self._signals = signals

    @activity.defn(name=contracts.ADMIT_VIDEO.name)
    async def admit_video(self, request: AdmissionRequest) -> AdmissionAnswer:
        try:
            answer = await self._admission.request(
                request.video_id,
                request.excluded_accounts,
                request.avoided_accounts,
                request.excluded_models,
            )
        except AlreadySettled:
            raise already_settled() from None
        if isinstance(answer, Granted):
            return AdmissionAnswer(attempt=attempt_facts(answer.attempt))
        if isinstance(answer, Forbidden):
            return _standing(answer.attempt)
        if isinstance(answer, NoneServes):
            raise final(answer.failure)
        if answer.others_can_go:
            await self.wake_granted()
        return AdmissionAnswer(place=answer.place)

    @activity.defn(name=contracts.UPLOAD_PHOTO.name)
    async def upload_photo(self, ref: AttemptRef) -> UploadedPhoto:
        """Nothing is bought yet: an upload that ends in a failure gives the slot back."""
        attempt = await self._admission.attempt(ref.attempt_id)
        video = await self._videos.read(attempt.video_id)
        if video.state.closed:
            raise already_settled()
        photo = await self._media.get(video.photo_media_key or "")
        name = ids.upload_name(attempt.id, "jpg")
        try:
            url = await self._kie.upload(attempt.key_id, name, photo, "image/jpeg")
        except KieNotSent:
            await self._services.unreachable(_SERVICE)
            raise unreachable("KIE") from None
        except KieUnavailable as error:
            failure = Failure(FailureClass.TEMPORARY, code=f"upload {error.http_status}")
            raise await self._not_bought(attempt, failure) from None
        except KieKeyUnknown:
            raise await self._not_bought(attempt, _FOREIGN_KEY) from None
        except KieRefused as refused:
            raise await self._not_bought(attempt, refused.failure, refused.raw) from None
        await self._services.reached(_SERVICE)
        return UploadedPhoto(url=url)

    @activity.defn(name=contracts.CREATE_KIE_TASK.name)
    async def create_kie_task(self, request: CreateRequest) -> CreateResult:
        """At most one create call per attempt, whatever becomes of this process."""
        wait_seconds = await self._services.wait_before_call(_SERVICE)
        if wait_seconds > 0:
            return CreateResult(outcome=CreateOutcome.TOO_EARLY, wait_seconds=wait_seconds, service_down=True)
        try:
            begun = await self._admission.begin_create(request.attempt_id)
        except AlreadySettled:
            raise already_settled() from None
        if begun.outcome is BeginCreate.STARTED:
            return await self._send(begun.attempt, request.photo_url, begun.options)
        if begun.outcome is BeginCreate.TOO_EARLY:
            return CreateResult(outcome=CreateOutcome.TOO_EARLY, wait_seconds=begun.wait_seconds)
        if begun.outcome is BeginCreate.FOUND_SENDING:
            return CreateResult(outcome=CreateOutcome.AMBIGUOUS)
        if begun.attempt.failure is not None:
            await self._after_failure(begun.attempt, begun.attempt.failure)
        return _become(begun.attempt)

    async def _send(self, attempt: AttemptRow, photo_url: str, options: VideoOptions) -> CreateResult:
        """SENDING is committed. From here on every way out writes what became of it."""
        try:
            created = await self._kie.create_task(
                attempt.key_id, attempt.id, attempt.video_model, attempt.prompt or "", photo_url, options
            )
        except KieKeyUnknown:
            return await self._not_sent(attempt, down=False)
        except KieNotSent:
            return await self._not_sent(attempt, down=True)
        except KieAmbiguous as error:
            _log.warning("create without an answer", attempt_id=attempt.id, status=error.http_status)
            await self._admission.record_ambiguous(attempt.id, error.raw)
            return CreateResult(outcome=CreateOutcome.AMBIGUOUS)
        except KieRefused as refused:
            raise await self._rejected(attempt, refused.failure, refused.raw) from None
        recorded = await self._admission.record_accepted(attempt.id, created.kie_task_id)
        await self._services.reached(_SERVICE)
        return _become(recorded.attempt)

    async def _not_sent(self, attempt: AttemptRow, *, down: bool) -> CreateResult:
        """Written down before anything else is: the video may be created again."""
        await self._admission.record_not_sent(attempt.id)
        health = await self._services.unreachable(_SERVICE) if down else None
        await self.wake_granted()
        return CreateResult(outcome=CreateOutcome.NOT_SENT, service_down=bool(health and health.down))

    @activity.defn(name=contracts.CHECK_KIE_TASK.name)
    async def check_kie_task(self, check: CheckKieTask) -> KieTaskFacts:
        """Read the rows, then ask KIE with our own key, and believe only that."""
        attempt = await self._admission.attempt(check.attempt_id)
        if attempt.failure is not None:
            await self._after_failure(attempt, attempt.failure)
        await self._require_open(attempt)
        known = _known(attempt)
        kie_task_id = attempt.kie_task_id or check.candidate_kie_task_id
        if known is not None or not kie_task_id:
            return known or KieTaskFacts(status=KieTaskStatus.UNADOPTED)
        record = await self._ask(attempt, kie_task_id)
        if record is None:
            return _still(attempt, reachable=False)
        if attempt.kie_task_id is None and not await self._adopt(attempt, record, kie_task_id):
            return KieTaskFacts(status=KieTaskStatus.UNADOPTED)
        return await self._take_record(attempt, kie_task_id, record)

    async def _require_open(self, attempt: AttemptRow) -> None:
        """An operator may refund what was bought, too. Its end is then written down by `LateResults`."""
        if (await self._videos.read(attempt.video_id)).state.closed:
            await self._admission.abandon(attempt.id)
            raise already_settled()

    async def _ask(self, attempt: AttemptRow, kie_task_id: str) -> KieRecord | None:
        """None: not now. The next poll asks again, with another key where this one was refused."""
        key_id = await self._accounts.pollable_key(attempt.account, attempt.key_id)
        if key_id is None:
            return None
        try:
            record = await self._kie.record(key_id, kie_task_id)
        except RecordNotVisible:
            return KieRecord(state=KieTaskState.WAITING)
        except KieNotSent:
            await self._services.unreachable(_SERVICE)
            return None
        except KieRefused as refused:
            await self._block(attempt, refused.failure, key_id)
            return None
        except (KieUnavailable, KieKeyUnknown):
            return None
        await self._services.reached(_SERVICE)
        return record

    async def _adopt(self, attempt: AttemptRow, record: KieRecord, kie_task_id: str) -> bool:
        """A create whose answer was lost is ours only if KIE's own record says so."""
        fits = self._kie.record_belongs(record, attempt.id, attempt.video_model, attempt.prompt or "")
        recorded = await self._admission.record_accepted(attempt.id, kie_task_id) if fits else None
        adopted = recorded is not None and not recorded.refused
        _log.info("lost create", attempt_id=attempt.id, kie_task_id=kie_task_id, adopted=adopted)
        return adopted

    async def _take_record(self, attempt: AttemptRow, kie_task_id: str, record: KieRecord) -> KieTaskFacts:
        if record.state is KieTaskState.SUCCESS and record.result_urls:
            await self._admission.record_task_success(attempt.id, record.result_urls, record.credits_consumed)
            await self.wake_granted()
            return KieTaskFacts(status=KieTaskStatus.SUCCESS, kie_task_id=kie_task_id)
        failure = _failure_in(record)
        if failure is None:
            return KieTaskFacts(status=KieTaskStatus.RUNNING, kie_task_id=kie_task_id)
        await self._admission.record_task_failed(attempt.id, failure, record.raw, record.credits_consumed)
        await self._after_failure(attempt, failure)
        raise _final(attempt, failure, record.raw)

    async def _rejected(self, attempt: AttemptRow, failure: Failure, raw: str = "") -> Exception:
        await self._admission.record_rejected(attempt.id, failure, raw)
        await self._after_failure(attempt, failure)
        return _final(attempt, failure, raw)

    async def _after_failure(self, attempt: AttemptRow, failure: Failure) -> None:
        await self._block(attempt, failure, attempt.key_id)
        await self.wake_granted()

    async def _block(self, attempt: AttemptRow, failure: Failure, key_id: str) -> None:
        await self._accounts.apply_failure(
            account=attempt.account, key_id=key_id, video_model=attempt.video_model, failure=failure
        )

    async def _not_bought(self, attempt: AttemptRow, failure: Failure, raw: str = "") -> Exception:
        await self._admission.abandon(attempt.id)
        await self._after_failure(attempt, failure)
        return _final(attempt, failure, raw)

    async def wake_granted(self) -> None:
        """Whoever frees a slot grants it, and wakes those who wait for it."""
        granted = await self._admission.grant_waiting()
        await self._signals.admitted(each.video_id for each in granted)


def _final(attempt: AttemptRow, failure: Failure, raw: str) -> Exception:
    """With what KIE said. The whole answer stays in the attempt's row."""
    return final(failure, attempt.id, provider_words(said_in(raw), attempt.prompt or ""))


def _standing(attempt: AttemptRow) -> AdmissionAnswer:
    """An earlier attempt may have bought a KIE task: go on with that one, or give the video up."""
    if attempt.phase in _GIVEN_UP:
        raise final(Failure(FailureClass.TIMED_OUT, code="an earlier create may have been bought"))
    return AdmissionAnswer(attempt=attempt_facts(attempt))


def _become(attempt: AttemptRow) -> CreateResult:
    """What the rows say of a create that was begun before."""
    if attempt.failure is not None:
        raise _final(attempt, attempt.failure, attempt.raw_answer)
    if attempt.phase is AttemptPhase.NOT_SENT:
        return CreateResult(outcome=CreateOutcome.NOT_SENT)
    if attempt.kie_task_id:
        return CreateResult(outcome=CreateOutcome.ACCEPTED, kie_task_id=attempt.kie_task_id)
    return CreateResult(outcome=CreateOutcome.AMBIGUOUS)


def _known(attempt: AttemptRow) -> KieTaskFacts | None:
    """The row may know the end already: another run, or a callback's check, was faster."""
    if attempt.failure is not None:
        raise _final(attempt, attempt.failure, attempt.raw_answer)
    if attempt.phase is AttemptPhase.SUCCESS:
        return KieTaskFacts(status=KieTaskStatus.SUCCESS, kie_task_id=attempt.kie_task_id or "")
    return None


def _still(attempt: AttemptRow, *, reachable: bool) -> KieTaskFacts:
    status = KieTaskStatus.RUNNING if attempt.kie_task_id else KieTaskStatus.UNADOPTED
    return KieTaskFacts(status=status, kie_task_id=attempt.kie_task_id or "", reachable=reachable)


def _failure_in(record: KieRecord) -> Failure | None:
    if record.state is KieTaskState.SUCCESS:
        return Failure(FailureClass.RESULT, code="success without a result")
    if record.state is KieTaskState.FAIL:
        return record.failure or Failure(FailureClass.UNKNOWN, code=record.fail_code)
    return None
