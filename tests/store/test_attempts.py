"""The create call's rows: what is committed before it, and what may still be written after it."""

import asyncio
from collections import Counter

import pytest

from domain.admission import AdmissionLimits
from domain.attempts import AttemptPhase, AttemptRow, Outcome
from domain.failures import Failure, FailureClass, FailureReason
from store.admission import Admission, Granted
from store.attempts import BeginCreate, UnknownAttempt
from store.database import Database
from store.videos import AlreadySettled
from tests.fixtures.kie_rows import SCRIPT, HandClock, add_video, close_video, keys_of

TASK = "f" * 32
LIMITS = AdmissionLimits(creates_per_window=2)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def admission(database: Database, clock: HandClock) -> Admission:
    return Admission(database, clock, keys_of("a"), ("kling-2.6/image-to-video",), LIMITS)


@pytest.fixture
async def attempt(database: Database, admission: Admission) -> AttemptRow:
    return await intent(admission, await add_video(database, 1))


async def intent(admission: Admission, video_id: str) -> AttemptRow:
    answer = await admission.request(video_id)
    assert isinstance(answer, Granted), answer
    return answer.attempt


async def test_the_prompt_is_committed_before_the_call(
    admission: Admission, attempt: AttemptRow, clock: HandClock
) -> None:
    begun = await admission.begin_create(attempt.id)
    assert begun.outcome is BeginCreate.STARTED
    stored = await admission.attempt(attempt.id)
    assert stored == begun.attempt
    assert (stored.phase, stored.prompt, stored.sent_at) == (AttemptPhase.SENDING, SCRIPT, clock())


async def test_sending_found_by_a_later_try_is_ambiguous(admission: Admission, attempt: AttemptRow) -> None:
    await admission.begin_create(attempt.id)
    assert (await admission.begin_create(attempt.id)).outcome is BeginCreate.FOUND_SENDING
    assert (await admission.attempt(attempt.id)).phase is AttemptPhase.AMBIGUOUS
    again = await admission.begin_create(attempt.id)
    assert (again.outcome, again.attempt.phase) == (BeginCreate.ALREADY, AttemptPhase.AMBIGUOUS)
    assert (await admission.record_not_sent(attempt.id)).refused
    assert (await admission.record_rejected(attempt.id, Failure(FailureClass.TEMPORARY))).refused
    assert (await admission.record_accepted(attempt.id, TASK)).attempt.phase is AttemptPhase.RUNNING


async def test_only_one_of_many_starts_the_create(admission: Admission, attempt: AttemptRow) -> None:
    begun = await asyncio.gather(*(admission.begin_create(attempt.id) for _ in range(6)))
    outcomes = Counter(each.outcome for each in begun)
    assert outcomes == {BeginCreate.STARTED: 1, BeginCreate.FOUND_SENDING: 1, BeginCreate.ALREADY: 4}


async def test_a_closed_video_is_never_sent(
    database: Database, admission: Admission, attempt: AttemptRow
) -> None:
    await close_video(database, attempt.video_id)
    with pytest.raises(AlreadySettled):
        await admission.begin_create(attempt.id)
    assert (await admission.attempt(attempt.id)).phase is AttemptPhase.INTENT


async def test_sending_of_a_closed_video_is_still_found(
    database: Database, admission: Admission, attempt: AttemptRow
) -> None:
    await admission.begin_create(attempt.id)
    await close_video(database, attempt.video_id)
    with pytest.raises(AlreadySettled):
        await admission.begin_create(attempt.id)
    assert (await admission.attempt(attempt.id)).phase is AttemptPhase.AMBIGUOUS


async def test_the_window_of_real_sendings_is_counted_once_more(
    database: Database, admission: Admission, clock: HandClock
) -> None:
    """Admitted long ago, their uploads were slow: they would all be sent now."""
    attempts = []
    for n in range(4):
        attempts.append(await intent(admission, await add_video(database, n)))
        clock.forward(30)
    begun = await asyncio.gather(*(admission.begin_create(each.id) for each in attempts))
    early = [each for each in begun if each.outcome is BeginCreate.TOO_EARLY]
    assert [each.wait_seconds for each in early] == [10.0, 10.0]
    assert all(each.attempt.phase is AttemptPhase.INTENT for each in early)
    clock.forward(10)
    assert (await admission.begin_create(early[0].attempt.id)).outcome is BeginCreate.STARTED


async def test_a_kie_task_has_one_attempt(
    database: Database, admission: Admission, attempt: AttemptRow
) -> None:
    other = await intent(admission, await add_video(database, 2))
    for each in (attempt, other):
        await admission.begin_create(each.id)
    assert (await admission.record_accepted(attempt.id, TASK)).outcome is Outcome.CHANGED
    assert (await admission.record_accepted(attempt.id, TASK)).outcome is Outcome.SAME
    stolen = await admission.record_accepted(other.id, TASK)
    assert (stolen.outcome, stolen.attempt.phase) == (Outcome.REFUSED, AttemptPhase.SENDING)
    assert (await admission.record_accepted(attempt.id, "e" * 32)).refused


async def test_everything_kie_said_is_kept(admission: Admission, attempt: AttemptRow) -> None:
    await admission.begin_create(attempt.id)
    await admission.record_accepted(attempt.id, TASK)
    failure = Failure(FailureClass.USER_VIOLATION, FailureReason.PERSON, "422")
    await admission.record_task_failed(attempt.id, failure, '{"state":"fail"}\x00', 12.5)
    stored = await admission.attempt(attempt.id)
    assert (stored.failure, stored.raw_answer) == (failure, '{"state":"fail"}')
    assert (stored.credits_consumed, stored.phase) == (12.5, AttemptPhase.FAIL)


async def test_a_late_result_is_counted_and_never_offered(admission: Admission, attempt: AttemptRow) -> None:
    await admission.begin_create(attempt.id)
    await admission.record_ambiguous(attempt.id)
    await admission.abandon(attempt.id)
    assert (await admission.record_accepted(attempt.id, TASK)).attempt.phase is AttemptPhase.ABANDONED
    late = await admission.record_task_success(attempt.id, ["https://files.example/1.mp4"], 55.0)
    assert (late.outcome, late.attempt.credits_consumed) == (Outcome.LATE, 55.0)
    again = await admission.record_task_success(attempt.id, ["https://files.example/1.mp4"], 55.0)
    assert again.outcome is Outcome.SAME


async def test_an_unknown_attempt(admission: Admission, attempt: AttemptRow) -> None:
    unknown = f"{attempt.video_id}-a9"
    for call in (admission.attempt, admission.begin_create, admission.abandon):
        with pytest.raises(UnknownAttempt):
            await call(unknown)
