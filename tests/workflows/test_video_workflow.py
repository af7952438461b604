"""What a video's workflow decides, minute by minute, without waiting for the minutes."""

import asyncio

from temporalio.exceptions import ApplicationError

from activities import contracts
from activities.contracts import (
    AdmissionAnswer,
    CancelResult,
    CreateOutcome,
    CreateResult,
    FailedCreateFact,
    KieTaskFacts,
    KieTaskStatus,
    NextStep,
    SendOutcome,
    SendResult,
    VideoFacts,
)
from activities.failing import already_settled, final
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import VideoState
from tests.workflows.scripted import Script, refunded
from workflows.contracts import KieCallback
from workflows.videos import Video

TEMPORARY = Failure(FailureClass.TEMPORARY, code="500")
AMBIGUOUS = CreateResult(outcome=CreateOutcome.AMBIGUOUS)
UNADOPTED = KieTaskFacts(status=KieTaskStatus.UNADOPTED)


async def test_a_video_is_made_delivered_captured_and_rung(script: Script) -> None:
    result = await script.video()
    assert (result.state, result.captured) == (VideoState.DELIVERED, True)
    assert result.kie_task_ids == ("task1",)
    assert [name for name in script.names() if name != contracts.CHECK_KIE_TASK.name] == [
        "open_video", "admit_video", "upload_photo", "create_kie_task", "show_stage",
        "fetch_result", "send_video", "settle_video", "ring",
    ]  # fmt: skip


async def test_a_task_that_failed_for_now_is_bought_again_twice(script: Script) -> None:
    script.will(contracts.CHECK_KIE_TASK, final(TEMPORARY, "a1"), final(TEMPORARY, "a2"))
    result = await script.video()
    assert result.captured
    assert result.attempts == 3
    assert script.count(contracts.CREATE_KIE_TASK) == 3


async def test_three_temporary_failures_are_refunded(script: Script) -> None:
    script.will(contracts.CREATE_KIE_TASK, *[final(TEMPORARY)] * 3)
    result = await script.video()
    assert refunded(result)
    assert (result.failure_class, result.attempts) == ("TEMPORARY", 3)
    assert script.names()[-2:] == ["settle_video", "tell_failure"]


async def test_a_forbidden_photo_is_tried_once(script: Script) -> None:
    failure = Failure(FailureClass.USER_VIOLATION, FailureReason.PERSON)
    script.will(contracts.CHECK_KIE_TASK, final(failure, "a1"))
    result = await script.video()
    assert refunded(result)
    assert result.reason is FailureReason.PERSON
    assert script.count(contracts.CREATE_KIE_TASK) == 1


async def test_a_billing_failure_excludes_the_account_and_alerts_once(script: Script) -> None:
    script.will(contracts.CREATE_KIE_TASK, final(Failure(FailureClass.BILLING, code="402")))
    result = await script.video()
    assert result.captured
    second = script.requests(contracts.ADMIT_VIDEO)[1]
    assert second.excluded_accounts == ("alpha",)
    assert script.count(contracts.ALERT_ADMINS) == 1


async def test_a_paused_model_is_excluded(script: Script) -> None:
    script.will(contracts.CREATE_KIE_TASK, final(Failure(FailureClass.MODEL_UNAVAILABLE)))
    assert (await script.video()).captured
    assert script.requests(contracts.ADMIT_VIDEO)[1].excluded_models == ("kling-2.6/image-to-video",)


async def test_a_lost_create_is_adopted_and_never_repeated(script: Script) -> None:
    script.will(contracts.CREATE_KIE_TASK, AMBIGUOUS)
    script.will(contracts.CHECK_KIE_TASK, UNADOPTED, UNADOPTED)
    result = await script.video()
    assert result.captured
    assert script.count(contracts.CREATE_KIE_TASK) == 1


async def test_a_create_lost_for_ever_is_refunded_after_its_twenty_minutes(script: Script) -> None:
    script.will(contracts.CREATE_KIE_TASK, AMBIGUOUS)
    script.will(contracts.CHECK_KIE_TASK, *[UNADOPTED] * 50)
    result = await script.video()
    assert refunded(result)
    assert result.failure_class == "TIMED_OUT"
    assert script.count(contracts.CREATE_KIE_TASK) == 1
    assert script.count(contracts.ABANDON_ATTEMPT) == 1


async def test_what_was_never_sent_uses_up_no_try(script: Script) -> None:
    script.will(contracts.CREATE_KIE_TASK, *[CreateResult(outcome=CreateOutcome.NOT_SENT)] * 6)
    assert (await script.video()).captured
    assert script.count(contracts.CREATE_KIE_TASK) == 7


async def test_an_outage_ends_with_the_deadline(script: Script) -> None:
    script.will(contracts.CREATE_KIE_TASK, *[CreateResult(outcome=CreateOutcome.NOT_SENT)] * 500)
    result = await script.video()
    assert refunded(result)
    assert result.failure_class == "TIMED_OUT"


async def test_a_kie_task_that_never_ends_is_given_up_and_not_bought_again(script: Script) -> None:
    script.polls_until_success = 10_000
    result = await script.video()
    assert refunded(result)
    assert (result.failure_class, script.count(contracts.CREATE_KIE_TASK)) == ("TIMED_OUT", 1)


async def test_a_callback_before_the_create_returned_is_remembered(script: Script) -> None:
    script.pauses[contracts.CREATE_KIE_TASK.name] = asyncio.Event()
    script.polls_until_success = 1
    with script.env.auto_time_skipping_disabled():
        handle = await script.start_video()
        await script.called(contracts.CREATE_KIE_TASK)
        await handle.signal(
            Video.kie_callback, KieCallback(attempt_id=f"{script.order_id}-v1-a1", kie_task_id="task1")
        )
        script.pauses[contracts.CREATE_KIE_TASK.name].set()
        result = await asyncio.wait_for(handle.result(), 60)
    assert result.captured, "no poll was waited for: time stood still"


async def test_a_queued_video_is_woken_by_its_admission(script: Script) -> None:
    script.will(contracts.ADMIT_VIDEO, AdmissionAnswer(place=2), AdmissionAnswer(place=1))
    assert (await script.video()).captured
    assert script.count(contracts.ADMIT_VIDEO) == 3


async def test_no_account_in_fifteen_minutes_is_refunded(script: Script) -> None:
    script.will(contracts.ADMIT_VIDEO, *[AdmissionAnswer(place=9)] * 100)
    result = await script.video()
    assert refunded(result)
    assert result.failure_class == "RATE_LIMIT"


async def test_sending_refused_twice_is_sent_again_not_made_again(script: Script) -> None:
    refusals = [SendResult(outcome=SendOutcome.REFUSED, refused_count=n) for n in (1, 2)]
    script.will(contracts.SEND_VIDEO, *refusals)
    assert (await script.video()).captured
    assert (script.count(contracts.SEND_VIDEO), script.count(contracts.CREATE_KIE_TASK)) == (3, 1)


async def test_sending_refused_three_times_is_refunded(script: Script) -> None:
    script.will(
        contracts.SEND_VIDEO, *[SendResult(outcome=SendOutcome.REFUSED, refused_count=n) for n in (1, 2, 3)]
    )
    result = await script.video()
    assert refunded(result)
    assert result.failure_class == "DELIVERY"


async def test_what_may_have_been_sent_is_captured(script: Script) -> None:
    script.will(contracts.SEND_VIDEO, *[SendResult(outcome=SendOutcome.UNCONFIRMED)] * 1_000)
    result = await script.video()
    assert (result.state, result.captured) == (VideoState.DELIVERED, True)


async def test_a_user_who_blocked_the_bot_is_charged_and_waited_for(script: Script) -> None:
    script.will(contracts.SEND_VIDEO, SendResult(outcome=SendOutcome.BLOCKED))
    result = await script.video()
    assert (result.state, result.captured) == (VideoState.WAITING, True)
    assert script.count(contracts.RING) == 0


async def test_telling_that_fails_changes_nothing(script: Script) -> None:
    script.will(contracts.RING, *[final(TEMPORARY)] * 3)
    assert (await script.video()).captured


async def test_closed_rows_end_the_workflow(script: Script) -> None:
    script.will(contracts.CREATE_KIE_TASK, already_settled())
    script.settled = contracts.SettleResult(captured=False, state=VideoState.CANCELLED, won=True)
    result = await script.video()
    assert (result.state, result.captured) == (VideoState.CANCELLED, False)
    assert script.count(contracts.SEND_VIDEO) == 0


async def test_cancelling_what_was_not_bought_stops_it(script: Script) -> None:
    script.will(contracts.ADMIT_VIDEO, *[AdmissionAnswer(place=9)] * 100)
    with script.env.auto_time_skipping_disabled():
        handle = await script.start_video()
        await script.called(contracts.ADMIT_VIDEO)
        video_id = handle.id.removeprefix("order-")
        script.will(contracts.CANCEL_ORDER, CancelResult(cancelled_video_ids=(video_id,)))
        await handle.cancel()
        result = await asyncio.wait_for(handle.result(), 60)
    assert result.state is VideoState.CANCELLED
    assert script.count(contracts.CREATE_KIE_TASK) == 0


async def test_cancelling_what_may_have_been_bought_lets_it_go_on(script: Script) -> None:
    handle = await script.start_video()
    await script.called(contracts.CREATE_KIE_TASK)
    await handle.cancel()
    assert (await handle.result()).captured


async def test_an_admission_that_none_serves_is_final(script: Script) -> None:
    script.will(contracts.ADMIT_VIDEO, final(Failure(FailureClass.BILLING, code="all out")))
    result = await script.video()
    assert refunded(result)
    assert result.failure_class == "BILLING"
    assert script.count(contracts.ALERT_ADMINS) == 1


async def test_the_account_of_a_refused_create_is_the_attempts(script: Script) -> None:
    script.account = "beta"
    script.will(contracts.CREATE_KIE_TASK, final(Failure(FailureClass.BILLING, code="402")))
    await script.video()
    assert script.requests(contracts.ADMIT_VIDEO)[1].excluded_accounts == ("beta",)


async def test_a_lost_creates_callback_is_asked_about_until_kie_answers(script: Script) -> None:
    script.will(contracts.CREATE_KIE_TASK, AMBIGUOUS)
    script.will(contracts.CHECK_KIE_TASK, *[UNADOPTED] * 3)
    script.polls_until_success = 5
    handle = await script.start_video()
    await script.called(contracts.CREATE_KIE_TASK)
    await handle.signal(
        Video.kie_callback, KieCallback(attempt_id=f"{script.order_id}-v1-a1", kie_task_id="late")
    )
    assert (await handle.result()).captured
    candidates = [request.candidate_kie_task_id for request in script.requests(contracts.CHECK_KIE_TASK)]
    assert candidates[-2:] == ["late", "late"], "KIE does not call twice"


async def test_a_check_that_breaks_gives_up_nothing(script: Script) -> None:
    broken = ApplicationError("a bug", type="ValueError", non_retryable=True)
    script.will(contracts.CHECK_KIE_TASK, broken, broken)
    assert (await script.video()).captured
    assert (script.count(contracts.CREATE_KIE_TASK), script.count(contracts.ALERT_ADMINS)) == (1, 1)


async def test_a_refund_whose_answer_was_lost_is_still_told(script: Script) -> None:
    script.will(contracts.CREATE_KIE_TASK, *[final(TEMPORARY)] * 3)
    script.settled = contracts.SettleResult(captured=False, state=VideoState.FAILED, won=True)
    await script.video()
    assert script.count(contracts.TELL_FAILURE) == 1


async def test_after_a_reset_a_final_failure_stays_final(script: Script) -> None:
    failed = FailedCreateFact(
        account="alpha", video_model="kling-2.6/image-to-video", failure_class="USER_VIOLATION"
    )
    script.will(
        contracts.OPEN_VIDEO,
        VideoFacts(next_step=NextStep.CREATE, seconds_to_deadline=3_000, failed_creates=(failed,)),
    )
    assert refunded(await script.video())
    assert script.count(contracts.CREATE_KIE_TASK) == 0


async def test_a_broken_result_is_fetched_thrice_and_never_made_again(script: Script) -> None:
    script.will(contracts.FETCH_RESULT, *[final(Failure(FailureClass.RESULT, code="no MP4"))] * 3)
    result = await script.video()
    assert refunded(result)
    assert (result.failure_class, script.count(contracts.CREATE_KIE_TASK)) == ("RESULT", 1)
    assert [each.fresh_link for each in script.requests(contracts.FETCH_RESULT)] == [False, True, True]


async def test_sending_ends_with_the_deadline(script: Script) -> None:
    script.will(contracts.OPEN_VIDEO, VideoFacts(next_step=NextStep.DELIVER, seconds_to_deadline=400))
    limited = SendResult(outcome=SendOutcome.RATE_LIMITED, retry_after_seconds=7_200)
    script.will(contracts.SEND_VIDEO, *[limited] * 50)
    handle = await script.start_video()
    assert refunded(await handle.result())
    told = await handle.describe()
    assert told.close_time is not None
    assert (told.close_time - told.start_time).total_seconds() < 500


async def test_an_outage_is_told_once_and_alerted(script: Script) -> None:
    down = CreateResult(outcome=CreateOutcome.NOT_SENT, service_down=True)
    script.will(contracts.CREATE_KIE_TASK, down, down, down)
    assert (await script.video()).captured
    assert [each.step for each in script.requests(contracts.TELL_LONG_WAIT)] == [contracts.OUTAGE_STEP]
    assert script.count(contracts.ALERT_ADMINS) == 1
