"""One video: its own price and fate. The rows decide; a reset finds what an earlier run did."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from activities import contracts
from activities.contracts import (
    AdmissionRequest,
    AttemptFacts,
    AttemptRef,
    CancelOrder,
    CheckKieTask,
    CreateOutcome,
    CreateRequest,
    KieTaskFacts,
    KieTaskStatus,
    NextStep,
    SendOutcome,
    SettleVideo,
    ShowStage,
    Stage,
    VideoFacts,
    VideoRef,
)
from domain.failures import (
    CLASS_POLICIES,
    FailedCreate,
    Failure,
    FailureClass,
    FailureReason,
    NextCreate,
    next_create,
)
from domain.orders import AttemptState, VideoState
from workflows.contracts import KieCallback, Nothing, VideoInput, VideoResult
from workflows.failures import AlreadySettled, CallFailed, failed_create
from workflows.finishing import deliver, fetch
from workflows.policies import run
from workflows.search_attributes import FAILURE_CLASS, KIE_TASK_IDS, ORDER_STAGE, VIDEO_MODEL
from workflows.telling import alert_admins, tell, tell_order, tell_outage
from workflows.words import failure_words, seconds_of, video_ended, waiting_for_kie

_BUYING = frozenset({AttemptState.ACCEPTED.value, AttemptState.AMBIGUOUS.value})


class NotSent(Exception):
    """KIE could not be reached: nothing was bought, and no try is used up."""


@workflow.defn(name="Video")
class Video:
    """Admission → upload → create → wait → fetch → deliver → settle."""

    @workflow.init
    def __init__(self, video: VideoInput) -> None:
        self._video = video
        self._policy = video.policy
        self._ref = VideoRef(video_id=video.video_id)
        self._deadline = workflow.now() + timedelta(seconds=video.policy.order_deadline_seconds)
        self._callbacks: dict[str, str] = {}  # the candidates stay: KIE does not call twice
        self._woken: set[str] = set()
        self._admitted = False
        self._settled = False
        self._failed: list[FailedCreate] = []
        self._alerted: set[FailureClass] = set()
        self._outage_told = False
        self._attempts = 0
        self._video_model = ""
        self._kie_task_ids: list[str] = []

    @workflow.run
    async def run(self, video: VideoInput) -> VideoResult:  # noqa: ARG002 - kept by __init__; Temporal wants both
        story = asyncio.create_task(self._story())
        try:
            result = await asyncio.shield(story)
        except asyncio.CancelledError:
            result = await self._cancel_unless_bought(story)
        await tell_order(self._video, result.state)
        return result

    @workflow.signal(description="KIE says that an attempt's task has ended")
    def kie_callback(self, callback: KieCallback) -> None:
        self._callbacks[callback.attempt_id] = callback.kie_task_id
        self._woken.add(callback.attempt_id)

    @workflow.signal(description="An account was found for this video")
    def admitted(self, _: Nothing | None = None) -> None:
        self._admitted = True

    @workflow.signal(description="Somebody else closed this video: look at the rows")
    def settled(self, _: Nothing | None = None) -> None:
        self._settled = True

    # -- the story ------------------------------------------------------------------------------------

    async def _story(self) -> VideoResult:
        try:
            self._say("looking at its rows")
            facts = await run(contracts.OPEN_VIDEO, self._ref, self._policy, "what the rows say")
            self._deadline = workflow.now() + timedelta(seconds=facts.seconds_to_deadline)
            if facts.next_step is not NextStep.DELIVER:
                await self._make(facts)
            self._say("the result is there: sending it to Telegram")
            outcome = await deliver(self._ref, self._policy, self._deadline)
            return await self._capture(outcome)
        except AlreadySettled:
            return await self._settled_by_somebody_else()
        except CallFailed as failed:
            return await self._refund(failed)

    async def _make(self, facts: VideoFacts) -> None:
        """A KIE task that failed for now gets a new attempt; an outage uses up none."""
        if self._video.number > 1:
            await self._show(Stage.QUEUED)
        self._failed = [failed_create(fact) for fact in facts.failed_creates]
        attempt = facts.attempt
        plan = self._plan_after_reset(facts)
        pause = self._policy.outage_pause_seconds
        while facts.next_step is not NextStep.FETCH_RESULT:
            try:
                attempt = attempt or await self._admit(plan)
                await self._buy(attempt)
                break
            except NotSent:
                await self._pause(pause, "KIE cannot be reached")
                pause = min(pause * 2, self._policy.outage_pause_seconds_max)
            except CallFailed as failed:
                plan = await self._after_failed_create(attempt, failed)
            attempt = None
        if attempt is not None:
            self._say("fetching the result")
            await fetch(attempt.attempt_id, self._policy, self._deadline)

    def _plan_after_reset(self, facts: VideoFacts) -> NextCreate:
        """What an earlier run learned from its failures still holds; raise the one that was final."""
        plan = next_create(self._failed) if self._failed else NextCreate(0.0)
        if plan is None and facts.next_step is NextStep.CREATE:
            raise CallFailed(self._failed[-1].failure)
        return plan or NextCreate(0.0)

    async def _buy(self, attempt: AttemptFacts) -> None:
        self._attempts += 1
        self._video_model = attempt.video_model
        if attempt.state not in _BUYING:
            attempt = await self._create(attempt)
        await self._await_kie_task(attempt)

    async def _after_failed_create(self, attempt: AttemptFacts | None, failed: CallFailed) -> NextCreate:
        """The next create, after its pause; raise what failed when there is none."""
        failure = failed.failure
        if attempt is None or failure.failure_class is FailureClass.TIMED_OUT:
            raise failed
        await self._alert(failure.failure_class, attempt.attempt_id)
        self._failed.append(FailedCreate(attempt.account, attempt.video_model, failure))
        plan = next_create(self._failed)
        if plan is None:
            raise failed
        if plan.delay_seconds:
            why = f"before attempt {len(self._failed) + 1}: {failure_words(failure)}"
            await self._pause(plan.delay_seconds * self._policy.retry_scale, why, failed.said)
        return plan

    # -- buying ---------------------------------------------------------------------------------------

    async def _admit(self, plan: NextCreate) -> AttemptFacts:
        """An attempt row with an account, or a place in the queue until there is one."""
        self._say("waiting for a KIE account")
        request = AdmissionRequest(
            video_id=self._video.video_id,
            excluded_accounts=plan.excluded_accounts,
            avoided_accounts=plan.avoided_accounts,
            excluded_models=plan.excluded_models,
        )
        wait_until = workflow.now() + timedelta(seconds=self._policy.admission_wait_seconds)
        give_up_at = min(self._deadline, wait_until)
        while True:
            self._admitted = False
            answer = await run(contracts.ADMIT_VIDEO, request, self._policy, "a KIE account")
            if answer.attempt is not None:
                self._require_time_for(answer.attempt)
                return answer.attempt
            if workflow.now() >= give_up_at:
                raise CallFailed(Failure(FailureClass.RATE_LIMIT, code="no account in time"))
            recheck = self._policy.admission_recheck_seconds
            summary = f"place {answer.place} in the queue for a KIE account"
            self._say(summary)
            await self._wait(lambda: self._admitted or self._settled, recheck, summary)

    def _require_time_for(self, attempt: AttemptFacts) -> None:
        """A new attempt starts only if it can typically end in time."""
        if attempt.state != AttemptState.INTENT:
            return  # bought before, by an earlier run: it is waited for
        typical = timedelta(seconds=attempt.typical_seconds * self._policy.kie_first_poll_factor)
        if workflow.now() + typical > self._deadline:
            raise CallFailed(Failure(FailureClass.TIMED_OUT, code="no time for another attempt"))

    async def _create(self, attempt: AttemptFacts) -> AttemptFacts:
        request = CreateRequest(attempt_id=attempt.attempt_id, photo_url=await self._upload(attempt))
        while True:
            self._say(f"creating a KIE task on {attempt.video_model} (account {attempt.account})")
            created = await run(contracts.CREATE_KIE_TASK, request, self._policy, attempt.video_model)
            if created.service_down:
                await self._tell_outage()
            if created.outcome is not CreateOutcome.TOO_EARLY:
                break
            await self._pause(created.wait_seconds, "KIE takes no create now")
        if created.outcome is CreateOutcome.NOT_SENT:
            raise NotSent
        return attempt.model_copy(update={"state": created.outcome.value, "kie_task_id": created.kie_task_id})

    async def _upload(self, attempt: AttemptFacts) -> str:
        """A create that an earlier run sent is not sent again, so it needs no photo."""
        if attempt.state == AttemptState.SENDING:
            return ""
        self._say(f"uploading the photo for {attempt.video_model} (account {attempt.account})")
        reference = AttemptRef(attempt_id=attempt.attempt_id)
        uploaded = await run(
            contracts.UPLOAD_PHOTO, reference, self._policy, f"account {attempt.account}", self._deadline
        )
        return uploaded.url

    async def _await_kie_task(self, attempt: AttemptFacts) -> None:
        """Woken by the callback, otherwise by polls. A task of an AMBIGUOUS create must first be adopted."""
        adopted = bool(attempt.kie_task_id)
        if adopted:
            await self._show_making(attempt)
        give_up_at = self._give_up_at(adopted=adopted)
        pause = self._first_pause(attempt) if adopted else self._policy.ambiguous_recheck_seconds
        while workflow.now() < give_up_at:
            self._say(waiting_for_kie(attempt, adopted=adopted, poll_seconds=pause))
            candidate = await self._callback_of(attempt, min(pause, _seconds_until(give_up_at)))
            check = CheckKieTask(attempt_id=attempt.attempt_id, candidate_kie_task_id=candidate)
            facts = await self._check(check, adopted=adopted)
            if not adopted and facts.status is not KieTaskStatus.UNADOPTED:
                adopted = True
                attempt = attempt.model_copy(update={"kie_task_id": facts.kie_task_id})
                give_up_at = self._give_up_at(adopted=True)
                await self._show_making(attempt)
            if facts.status is KieTaskStatus.SUCCESS:
                return
            pause = self._policy.kie_poll_seconds if adopted else self._policy.ambiguous_recheck_seconds
        await run(contracts.ABANDON_ATTEMPT, AttemptRef(attempt_id=attempt.attempt_id), self._policy)
        code = "KIE wait" if adopted else "lost create"
        raise CallFailed(Failure(FailureClass.TIMED_OUT, code=code), attempt.attempt_id)

    def _give_up_at(self, *, adopted: bool) -> datetime:
        wait = self._policy.kie_wait_seconds if adopted else self._policy.ambiguous_wait_seconds
        return min(self._deadline, workflow.now() + timedelta(seconds=wait))

    def _first_pause(self, attempt: AttemptFacts) -> float:
        return attempt.typical_seconds * self._policy.kie_first_poll_factor

    async def _callback_of(self, attempt: AttemptFacts, seconds: float) -> str:
        """The KIE task id a callback brought, or nothing. Callbacks may come before the create returned."""
        await self._wait(
            lambda: attempt.attempt_id in self._woken or self._settled, seconds, "KIE's callback, or a poll"
        )
        self._woken.discard(attempt.attempt_id)
        return self._callbacks.get(attempt.attempt_id, "")

    async def _check(self, check: CheckKieTask, *, adopted: bool) -> KieTaskFacts:
        """A check that breaks is repeated by the next poll: what was bought is not given up for it."""
        try:
            why = "after a callback" if check.candidate_kie_task_id else "poll"
            return await run(contracts.CHECK_KIE_TASK, check, self._policy, why)
        except CallFailed as failed:
            if failed.attempt_id:
                raise
            await self._alert(failed.failure.failure_class, check.attempt_id)
        status = KieTaskStatus.RUNNING if adopted else KieTaskStatus.UNADOPTED
        return KieTaskFacts(status=status, reachable=False)

    # -- delivering and settling ----------------------------------------------------------------------

    async def _capture(self, outcome: SendOutcome) -> VideoResult:
        state = VideoState.WAITING if outcome is SendOutcome.BLOCKED else VideoState.DELIVERED
        settle = SettleVideo(video_id=self._video.video_id, captured=True, state=state)
        settled = await run(contracts.SETTLE_VIDEO, settle, self._policy, "capture")
        if settled.captured and outcome is not SendOutcome.BLOCKED:
            await tell(run(contracts.RING, self._ref, self._policy, "ready"))
        return self._finish(settled.state, captured=settled.captured)

    async def _refund(self, failed: CallFailed) -> VideoResult:
        """Give the credit back first; tell the user and the admins after the commit."""
        failure = failed.failure
        settle = SettleVideo(
            video_id=self._video.video_id,
            captured=False,
            state=VideoState.FAILED,
            failure_class=failure.failure_class.value,
            reason=failure.reason,
        )
        self._say(f"refunding: {failure_words(failure, failed.said)}")
        settled = await run(contracts.SETTLE_VIDEO, settle, self._policy, f"refund: {failure_words(failure)}")
        if settled.state is VideoState.FAILED:
            await tell(run(contracts.TELL_FAILURE, self._ref, self._policy, failure.failure_class.value))
        await self._alert(failure.failure_class, failed.attempt_id)
        return self._finish(settled.state, captured=settled.captured, failed=failed)

    async def _settled_by_somebody_else(self) -> VideoResult:
        """Asking for a settlement answers with the one that is there."""
        settle = SettleVideo(video_id=self._video.video_id, captured=False, state=VideoState.CANCELLED)
        settled = await run(contracts.SETTLE_VIDEO, settle, self._policy, "settled before")
        return self._finish(settled.state, captured=settled.captured)

    async def _cancel_unless_bought(self, story: "asyncio.Task[VideoResult]") -> VideoResult:
        """A video that may have been bought goes on."""
        cancel = CancelOrder(order_id=self._video.order_id, video_id=self._video.video_id)
        answer = await run(contracts.CANCEL_ORDER, cancel, self._policy, "cancelled")
        if self._video.video_id not in answer.cancelled_video_ids:
            return await story
        story.cancel()
        await self._show(Stage.CANCELLED)
        return self._finish(VideoState.CANCELLED, captured=False)

    # -- leaves ---------------------------------------------------------------------------------------

    async def _wait(self, woken: Callable[[], bool], seconds: float, summary: str) -> None:
        if self._settled:
            self._settled = False
            return
        try:
            timeout = timedelta(seconds=max(0.1, seconds))
            await workflow.wait_condition(woken, timeout=timeout, timeout_summary=summary)
        except TimeoutError:
            return

    async def _pause(self, seconds: float, why: str, said: str = "") -> None:
        """Raise TIMED_OUT when the deadline comes first."""
        if workflow.now() + timedelta(seconds=seconds) > self._deadline:
            raise CallFailed(Failure(FailureClass.TIMED_OUT, code=why))
        self._say(f"pausing {seconds_of(seconds)}, {why}{f', answered: {said}' if said else ''}")
        await workflow.sleep(max(0.1, seconds), summary=why)

    async def _show(self, stage: Stage) -> None:
        request = ShowStage(video_id=self._video.video_id, stage=stage)
        await tell(run(contracts.SHOW_STAGE, request, self._policy, stage.value))

    async def _show_making(self, attempt: AttemptFacts) -> None:
        if attempt.kie_task_id not in self._kie_task_ids:
            self._kie_task_ids.append(attempt.kie_task_id)
        self._upsert(
            Stage.MAKING,
            VIDEO_MODEL.value_set(attempt.video_model),
            KIE_TASK_IDS.value_set(self._kie_task_ids),
        )
        await self._show(Stage.MAKING)

    async def _alert(self, failure_class: FailureClass, attempt_id: str) -> None:
        if not CLASS_POLICIES[failure_class].alerts_admin or failure_class in self._alerted:
            return
        self._alerted.add(failure_class)
        await alert_admins(self._video, failure_class, attempt_id)

    async def _tell_outage(self) -> None:
        """Once per order: the message's row knows whether it was said."""
        if self._outage_told:
            return
        self._outage_told = True
        await tell_outage(self._video)

    def _say(self, state: str) -> None:
        workflow.set_current_details(state)

    def _upsert(self, stage: Stage, *updates: SearchAttributeUpdate[Any]) -> None:
        workflow.upsert_search_attributes([ORDER_STAGE.value_set(stage.value), *updates])

    def _finish(self, state: VideoState, *, captured: bool, failed: CallFailed | None = None) -> VideoResult:
        failure = failed.failure if failed else None
        updates = (FAILURE_CLASS.value_set(failure.failure_class.value),) if failure else ()
        self._upsert(Stage(state.value.lower()), *updates)
        result = VideoResult(
            state=state,
            captured=captured,
            failure_class=failure.failure_class.value if failure else "",
            reason=failure.reason if failure else FailureReason.NONE,
            code=failure.code if failure else "",
            said=failed.said if failed else "",
            attempts=self._attempts,
            video_model=self._video_model,
            kie_task_ids=tuple(self._kie_task_ids),
        )
        self._say(video_ended(result))
        return result


def _seconds_until(moment: datetime) -> float:
    return (moment - workflow.now()).total_seconds()
