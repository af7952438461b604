"""Cancelling an order: what is surely not bought is stopped and refunded, in one transaction."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain import ids
from domain.clock import utc_now
from domain.failures import Failure, FailureClass
from domain.library import Cancellation
from domain.orders import AttemptState, VideoState
from store.admission import Admission, Granted
from store.attempts import BeginCreate, BeginCreateResult
from store.database import Database
from store.videos import AlreadySettled
from tests.fixtures.kie_rows import keys_of
from tests.store.order_rows import Rows, rows_of

USER = 1
KLING = "kling-2.6/image-to-video"
TEMPORARY = Failure(FailureClass.TEMPORARY)


@pytest.fixture
def rows(database: Database) -> Rows:
    return rows_of(database)


@pytest.fixture
def admission(database: Database) -> Admission:
    return Admission(database, utc_now, keys_of("a"), (KLING,))


async def placed(rows: Rows, video_count: int = 3) -> list[str]:
    """The videos of an order that has its photo and scripts."""
    placement = await rows.orders.place(await rows.draft(video_count=video_count), USER)
    await rows.orders.keep_photo(placement.order_id, "photo.jpg", 800, 600)
    await rows.orders.keep_scripts(placement.order_id, ["spin it"] * video_count)
    return await rows.videos.of_order(placement.order_id)


async def admitted(admission: Admission, video_id: str) -> str:
    answer = await admission.request(video_id)
    assert isinstance(answer, Granted)
    return answer.attempt.id


async def balance(rows: Rows) -> tuple[int, int]:
    now = await rows.ledger.balance(USER)
    return now.available, now.reserved


async def cancelled(rows: Rows, video_id: str) -> Cancellation:
    done = await rows.orders.cancel(ids.order_id_of_video(video_id), USER)
    assert done is not None
    return done


async def test_all_of_it_is_stopped_refunded_and_closed(rows: Rows) -> None:
    videos = await placed(rows)
    done = await cancelled(rows, videos[0])
    assert (done.stopped_video_ids, done.going_on, done.credits_back) == (tuple(videos), 0, 3)
    assert await balance(rows) == (3, 0)
    assert await rows.orders.unstarted(timedelta(0)) == [], "there is nothing left to start"


async def test_cancelling_is_asked_about_before_and_changes_nothing(rows: Rows) -> None:
    videos = await placed(rows)
    would = await rows.orders.cancellable(ids.order_id_of_video(videos[0]), USER)
    assert would is not None
    assert would.stopped_video_ids == tuple(videos)
    assert await balance(rows) == (0, 3)


async def test_twice_is_once_and_an_order_that_is_over_stays(rows: Rows) -> None:
    videos = await placed(rows)
    first = await cancelled(rows, videos[0])
    assert await cancelled(rows, videos[0]) == replace(first, repeated=True)
    assert await balance(rows) == (3, 0)


async def test_many_at_once_refund_once(rows: Rows) -> None:
    videos = await placed(rows)
    answers = await asyncio.gather(*(cancelled(rows, videos[0]) for _ in range(8)))
    assert {each.credits_back for each in answers} == {3}, "the answer is the same"
    assert sorted(each.repeated for each in answers) == [False] + [True] * 7
    assert await balance(rows) == (3, 0)


@pytest.mark.parametrize("order_id", ["", "nonsense", "0" * 20])
async def test_nobody_cancels_what_is_not_his(rows: Rows, order_id: str) -> None:
    videos = await placed(rows)
    await rows.users.register(2, "en")
    assert await rows.orders.cancel(ids.order_id_of_video(videos[0]), 2) is None
    assert await rows.orders.cancel(order_id, USER) is None
    assert await balance(rows) == (0, 3)


async def test_what_may_be_bought_goes_on(rows: Rows, admission: Admission) -> None:
    """SENDING, running and lost ones go on; what was refused or not sent yet is stopped."""
    await rows.ledger.grant(USER, 2, "five", "g1")
    sending, running, lost, refused, uploading = await placed(rows, video_count=5)
    attempts = {video: await admitted(admission, video) for video in (sending, running, lost, refused)}
    await admitted(admission, uploading)
    for attempt in attempts.values():
        await admission.begin_create(attempt)
    await admission.record_accepted(attempts[running], "f" * 32)
    await admission.record_ambiguous(attempts[lost])
    await admission.record_rejected(attempts[refused], TEMPORARY)
    done = await cancelled(rows, sending)
    assert (done.stopped_video_ids, done.going_on, done.credits_back) == ((refused, uploading), 3, 2)
    assert await balance(rows) == (2, 3)


async def test_a_failed_kie_task_between_two_attempts_does_not_hold_a_video(
    rows: Rows, admission: Admission
) -> None:
    (video,) = await placed(rows, video_count=1)
    attempt = await admitted(admission, video)
    await admission.begin_create(attempt)
    await admission.record_accepted(attempt, "f" * 32)
    assert (await cancelled(rows, video)).stopped_video_ids == ()
    await admission.record_task_failed(attempt, TEMPORARY)
    assert (await cancelled(rows, video)).stopped_video_ids == (video,)


async def test_what_is_being_delivered_goes_on(rows: Rows) -> None:
    first, *others = await placed(rows)
    await rows.videos.begin_delivery(first)
    done = await cancelled(rows, first)
    assert (done.stopped_video_ids, done.going_on) == (tuple(others), 1)
    assert (await rows.videos.read(first)).state is VideoState.DELIVERING


async def test_a_stopped_video_leaves_the_queue_and_its_slot(
    rows: Rows, database: Database, admission: Admission
) -> None:
    videos = await placed(rows)
    await admitted(admission, videos[0])
    async with database.connection() as connection:
        await connection.execute(
            "insert into admission_queue (video_id, user_id, video_models, enqueued_at)"
            " select id, user_id, array['x'], now() from videos where id = $1",
            videos[1],
        )
    assert (await admission.outlook()).in_flight == 1
    await cancelled(rows, videos[0])
    outlook = await admission.outlook()
    assert (outlook.waiting, outlook.in_flight) == (0, 0)
    with pytest.raises(AlreadySettled):
        await admission.request(videos[1])


@pytest.mark.parametrize("cancel_first", [True, False])
async def test_a_cancel_beside_a_create_has_one_winner(
    rows: Rows, database: Database, admission: Admission, *, cancel_first: bool
) -> None:
    """Both wait for the same locked row, and come to it one after the other."""
    (video,) = await placed(rows, video_count=1)
    attempt = await admitted(admission, video)
    calls = [cancelled(rows, video), admission.begin_create(attempt)]
    async with database.transaction() as connection:
        await connection.execute("select 1 from videos where id = $1 for update", video)
        waiting = [asyncio.create_task(call) for call in (calls if cancel_first else calls[::-1])]
        await _blocked(database, len(waiting))
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    stop, create = answers if cancel_first else answers[::-1]
    assert isinstance(stop, Cancellation)
    (row,) = await admission.attempts_of(video)
    if stop.stopped_video_ids:
        assert isinstance(create, AlreadySettled)
        assert row.state is AttemptState.INTENT
        assert await balance(rows) == (3, 0)
    else:
        assert isinstance(create, BeginCreateResult)
        assert create.outcome is BeginCreate.STARTED
        assert (stop.going_on, await balance(rows)) == (1, (2, 1))


async def _blocked(database: Database, count: int) -> None:
    """Until so many connections wait for a lock."""
    statement = (
        "select count(*) from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
    )
    async with asyncio.timeout(60):
        while True:
            async with database.connection() as connection:
                if await connection.fetchval(statement) >= count:
                    return
            await asyncio.sleep(0.01)


async def test_cancels_beside_settlements_never_wait_in_a_ring(rows: Rows) -> None:
    await rows.ledger.grant(USER, 57, "many", "g1")
    for _ in range(20):
        videos = await placed(rows)
        order_id = ids.order_id_of_video(videos[0])
        await asyncio.gather(
            rows.orders.cancel(order_id, USER),
            rows.videos.settle(videos[2], VideoState.FAILED, TEMPORARY),
            rows.videos.cancel(videos[1]),
            rows.orders.release(order_id, FailureClass.UNKNOWN, TEMPORARY.reason),
        )
    assert await balance(rows) == (60, 0)
