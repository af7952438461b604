"""Admission against a real PostgreSQL: limits, order of the queue, and what never leaks."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from domain.admission import AdmissionLimits
from domain.attempts import AttemptPhase, AttemptRow
from domain.failures import Failure, FailureClass
from domain.keys import KeyRef
from store.accounts import Accounts
from store.admission import Admission, Forbidden, Granted, NoneServes, Queued
from store.database import Database
from store.videos import AlreadySettled, UnknownVideo
from tests.fixtures.kie_rows import HandClock, add_user, add_video, add_videos, close_video, keys_of

KLING, SEEDANCE = "kling-2.6/image-to-video", "bytedance/seedance-1.5-pro"
ONE_SLOT = AdmissionLimits(in_flight_max=1)
TEMPORARY = Failure(FailureClass.TEMPORARY, code="500")
TASK = "f" * 32


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def admission_of(
    database: Database,
    clock: HandClock,
    keys: Sequence[KeyRef] | None = None,
    limits: AdmissionLimits | None = None,
) -> Admission:
    return Admission(
        database, clock, keys or keys_of("a", "b"), (KLING, SEEDANCE), limits or AdmissionLimits()
    )


async def granted(admission: Admission, video_id: str, **wishes: Sequence[str]) -> AttemptRow:
    answer = await admission.request(video_id, **wishes)
    assert isinstance(answer, Granted), answer
    return answer.attempt


async def running(admission: Admission, video_id: str, kie_task_id: str = TASK) -> AttemptRow:
    attempt = await granted(admission, video_id)
    await admission.begin_create(attempt.id)
    return (await admission.record_accepted(attempt.id, kie_task_id)).attempt


async def test_a_free_account_takes_a_video_at_once(database: Database, clock: HandClock) -> None:
    video_id = await add_video(database, 1)
    attempt = await granted(admission_of(database, clock), video_id)
    assert attempt.id == f"{video_id}-a1"
    assert (attempt.phase, attempt.video_model, attempt.account) == (AttemptPhase.INTENT, KLING, "a")
    assert attempt.key_id == "a-key1"


async def test_asking_twice_gives_the_same_attempt(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock)
    video_id = await add_video(database, 1)
    answers = await asyncio.gather(*(granted(admission, video_id) for _ in range(5)))
    assert len(set(answers)) == 1
    assert await admission.attempts_of(video_id) == [answers[0]]


async def test_a_closed_or_unknown_video_is_said_to_be_so(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock)
    video_id = await add_video(database, 1)
    await close_video(database, video_id)
    with pytest.raises(AlreadySettled):
        await admission.request(video_id)
    with pytest.raises(UnknownVideo):
        await admission.request("nobody-v1")


async def test_fifty_at_once_never_exceed_the_window(database: Database, clock: HandClock) -> None:
    """Several processes, as in production: each with an Admission of its own."""
    processes = [admission_of(database, clock) for _ in range(4)]
    video_ids = [await add_video(database, n) for n in range(50)]
    answers = await asyncio.gather(
        *(processes[n % 4].request(video_id) for n, video_id in enumerate(video_ids))
    )
    per_account = Counter(answer.attempt.account for answer in answers if isinstance(answer, Granted))
    assert per_account == {"a": 18, "b": 18}
    waiting = [answer.place for answer in answers if isinstance(answer, Queued)]
    assert len(waiting) == 14
    assert await processes[0].grant_waiting() == []
    clock.forward(10.1)
    grants = await asyncio.gather(*(each.grant_waiting() for each in processes))
    assert len({grant.video_id for each in grants for grant in each}) == 14
    assert sum(map(len, grants)) == 14


async def test_fifty_at_once_never_exceed_what_may_be_in_flight(database: Database, clock: HandClock) -> None:
    processes = [admission_of(database, clock, limits=AdmissionLimits(in_flight_max=7)) for _ in range(4)]
    video_ids = [await add_video(database, n) for n in range(50)]
    await asyncio.gather(*(processes[n % 4].request(video_id) for n, video_id in enumerate(video_ids)))
    for _ in range(3):
        clock.forward(60)
        assert await processes[0].grant_waiting() == []
    in_flight = {each.account: each.in_flight for each in await accounts_of(database, clock).statuses()}
    assert in_flight == {"a": 7, "b": 7}


def accounts_of(database: Database, clock: HandClock, keys: Sequence[KeyRef] | None = None) -> Accounts:
    return Accounts(database, clock, keys or keys_of("a", "b"))


async def test_one_sellers_many_do_not_starve_anothers_one(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock, keys_of("a"), ONE_SLOT)
    blocker = await running(admission, await add_video(database, 1))
    many = await add_videos(database, await add_user(database, 2), 4)
    for video_id in many:
        assert isinstance(await admission.request(video_id), Queued)
        clock.forward(1)
    single = await add_video(database, 3)
    assert await admission.request(single) == Queued(place=2)

    await admission.record_task_failed(blocker.id, TEMPORARY)
    clock.forward(20)
    roomy = admission_of(database, clock, keys_of("a"), AdmissionLimits(in_flight_max=3))
    grants = [grant.video_id for grant in await roomy.grant_waiting()]
    assert grants == [many[0], single, many[1]]


async def test_a_user_with_videos_in_flight_stands_behind(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock, keys_of("a"), AdmissionLimits(in_flight_max=1))
    first, second = await add_videos(database, await add_user(database, 1), 2)
    await granted(admission, first)
    assert await admission.request(second) == Queued(place=1)
    clock.forward(30)
    assert await admission.request(await add_video(database, 2)) == Queued(place=1)
    assert await admission.request(second) == Queued(place=2)


async def test_nobody_jumps_over_those_who_wait(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock, keys_of("a"), ONE_SLOT)
    blocker = await running(admission, await add_video(database, 1))
    waiting = await add_video(database, 2)
    assert await admission.request(waiting) == Queued(place=1)
    clock.forward(20)
    await admission.record_task_success(blocker.id, ["https://files.example/1.mp4"])

    newcomer = await add_video(database, 3)
    assert await admission.request(newcomer) == Queued(place=2, others_can_go=True)
    assert [grant.video_id for grant in await admission.grant_waiting()] == [waiting]
    assert (await granted(admission, waiting)).video_id == waiting


async def test_a_closed_video_leaves_neither_slot_nor_place(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock, keys_of("a"), ONE_SLOT)
    held, waiting, closed = [await add_video(database, n) for n in range(3)]
    await granted(admission, held)
    for video_id in (closed, waiting):
        assert isinstance(await admission.request(video_id), Queued)
        clock.forward(20)
    await close_video(database, closed)
    await close_video(database, held)
    assert [grant.video_id for grant in await admission.grant_waiting()] == [waiting]
    assert (await admission.outlook()).waiting == 0


async def test_leaving_the_queue(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock, keys_of("a"), ONE_SLOT)
    await granted(admission, await add_video(database, 1))
    waiting = await add_video(database, 2)
    await admission.request(waiting)
    assert (await admission.outlook()).waiting == 1
    await admission.leave(waiting)
    assert (await admission.outlook()).waiting == 0


async def test_a_video_held_by_its_own_transaction_is_skipped_not_waited_for(
    database: Database, clock: HandClock
) -> None:
    admission = admission_of(database, clock, keys_of("a"), ONE_SLOT)
    blocker = await running(admission, await add_video(database, 1))
    waiting = await add_video(database, 2)
    await admission.request(waiting)
    await admission.record_task_failed(blocker.id, TEMPORARY)
    clock.forward(20)
    async with database.transaction() as connection:
        await connection.execute("select 1 from videos where id = $1 for update", waiting)
        assert await asyncio.wait_for(admission.grant_waiting(), 30) == []
    assert len(await admission.grant_waiting()) == 1


async def test_a_slot_is_held_while_kie_may_be_working_and_not_for_ever(
    database: Database, clock: HandClock
) -> None:
    """The workflow of the first video is gone: nobody ends its attempt."""
    admission = admission_of(database, clock, keys_of("a"), ONE_SLOT)
    lost = await running(admission, await add_video(database, 1))
    await admission.abandon(lost.id)
    await close_video(database, lost.video_id)
    assert isinstance(await admission.request(await add_video(database, 2)), Queued)
    clock.forward(1_799)
    assert await admission.grant_waiting() == []
    clock.forward(2)
    assert len(await admission.grant_waiting()) == 1


@pytest.mark.parametrize("ending", ["rejected", "not_sent", "failed"])
async def test_a_new_create_follows_what_bought_nothing(
    database: Database, clock: HandClock, ending: str
) -> None:
    admission = admission_of(database, clock)
    video_id = await add_video(database, 1)
    first = await granted(admission, video_id)
    await admission.begin_create(first.id)
    if ending == "rejected":
        await admission.record_rejected(first.id, TEMPORARY, "{}")
    elif ending == "not_sent":
        await admission.record_not_sent(first.id)
    else:
        await admission.record_accepted(first.id, TASK)
        await admission.record_task_failed(first.id, TEMPORARY)
    second = await granted(admission, video_id)
    assert (second.number, second.id) == (2, f"{video_id}-a2")


@pytest.mark.parametrize("standing", ["sending", "ambiguous", "lost", "running", "success", "abandoned"])
async def test_what_may_have_bought_forbids_every_further_create(
    database: Database, clock: HandClock, standing: str
) -> None:
    admission = admission_of(database, clock)
    video_id = await add_video(database, 1)
    first = await granted(admission, video_id)
    await admission.begin_create(first.id)
    if standing in {"ambiguous", "lost"}:
        await admission.record_ambiguous(first.id)
    if standing in {"running", "success", "abandoned"}:
        await admission.record_accepted(first.id, TASK)
    if standing == "success":
        await admission.record_task_success(first.id, ["https://files.example/1.mp4"], 55.0)
    if standing in {"lost", "abandoned"}:
        await admission.abandon(first.id)
    clock.forward(7_200)
    answer = await admission.request(video_id, excluded_models=[KLING])
    assert answer == Forbidden(await admission.attempt(first.id))
    assert len(await admission.attempts_of(video_id)) == 1


async def test_an_intent_where_the_video_must_not_go_gives_way(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock)
    video_id = await add_video(database, 1)
    first = await granted(admission, video_id)
    second = await granted(admission, video_id, excluded_accounts=[first.account])
    assert (first.account, second.account) == ("a", "b")
    assert (await admission.attempt(first.id)).phase is AttemptPhase.NOT_SENT


async def test_an_avoided_account_serves_where_it_is_the_only_one(
    database: Database, clock: HandClock
) -> None:
    admission = admission_of(database, clock)
    other = await granted(admission, await add_video(database, 1), avoided_accounts=["a"])
    only = await granted(
        admission, await add_video(database, 2), avoided_accounts=["a"], excluded_accounts=["b"]
    )
    assert (other.account, only.account) == ("b", "a")


async def test_the_keys_of_an_account_take_turns(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock, keys_of("a", keys_each=3))
    used = [(await granted(admission, await add_video(database, n))).key_id for n in range(6)]
    assert used == ["a-key1", "a-key2", "a-key3"] * 2


async def test_a_blocked_key_is_passed_over(database: Database, clock: HandClock) -> None:
    keys = keys_of("a", keys_each=2)
    admission = admission_of(database, clock, keys)
    refused = Failure(FailureClass.BILLING, code="401")
    await accounts_of(database, clock, keys).apply_failure(
        account="a", key_id="a-key1", video_model=KLING, failure=refused
    )
    used = {(await granted(admission, await add_video(database, n))).key_id for n in range(3)}
    assert used == {"a-key2"}


async def test_all_accounts_out_is_a_billing_failure(database: Database, clock: HandClock) -> None:
    admission, accounts = admission_of(database, clock), accounts_of(database, clock)
    empty = Failure(FailureClass.BILLING, code="402")
    await accounts.apply_failure(account="b", key_id="b-key1", video_model=KLING, failure=empty)
    answer = await admission.request(await add_video(database, 1), excluded_accounts=["a"])
    assert answer == NoneServes(Failure(FailureClass.BILLING))
    assert (await admission.outlook()).waiting == 0


async def test_a_short_pause_of_the_last_account_is_waited_for(database: Database, clock: HandClock) -> None:
    keys = keys_of("a")
    admission, accounts = admission_of(database, clock, keys), accounts_of(database, clock, keys)
    busy = Failure(FailureClass.RATE_LIMIT, code="429")
    await accounts.apply_failure(account="a", key_id="a-key1", video_model=KLING, failure=busy)
    video_id = await add_video(database, 1)
    assert await admission.request(video_id) == Queued(place=1)
    clock.forward(61)
    assert [grant.video_id for grant in await admission.grant_waiting()] == [video_id]


async def test_a_resting_model_gives_way_to_the_next(database: Database, clock: HandClock) -> None:
    admission, accounts = admission_of(database, clock), accounts_of(database, clock)
    paused = Failure(FailureClass.MODEL_UNAVAILABLE, code="500")
    await accounts.apply_failure(account="a", key_id="a-key1", video_model=KLING, failure=paused)
    assert (await granted(admission, await add_video(database, 1))).video_model == SEEDANCE
    await accounts.apply_failure(account="a", key_id="a-key1", video_model=SEEDANCE, failure=paused)
    answer = await admission.request(await add_video(database, 2))
    assert answer == NoneServes(Failure(FailureClass.MODEL_UNAVAILABLE))
    clock.forward(3_601)
    assert (await granted(admission, await add_video(database, 3))).video_model == KLING


async def test_a_model_that_cannot_take_the_script_is_skipped(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock)
    user_id = await add_user(database, 1)
    (long,) = await add_videos(database, user_id, script="x" * 1_200)
    assert (await granted(admission, long)).video_model == SEEDANCE
    (far_too_long,) = await add_videos(database, user_id, script="x" * 30_000)
    answer = await admission.request(far_too_long)
    assert isinstance(answer, NoneServes)
    assert answer.failure.failure_class is FailureClass.BAD_REQUEST


async def test_outlook_counts_serving_accounts(database: Database, clock: HandClock) -> None:
    admission = admission_of(database, clock)
    await granted(admission, await add_video(database, 1))
    outlook = await admission.outlook()
    assert (outlook.waiting, outlook.in_flight, outlook.in_flight_max) == (0, 1, 200)
