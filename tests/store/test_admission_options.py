"""What the user chose of the form decides which video model makes it."""

import pytest

from domain.failures import Failure, FailureClass
from domain.orders import AS_IT_COMES, VideoOptions
from store.accounts import Accounts
from store.admission import Admission, Granted, NoneServes, Queued
from store.attempts import BeginCreate
from store.database import Database
from tests.fixtures.kie_rows import HandClock, add_video, keys_of

KLING, SEEDANCE = "kling-2.6/image-to-video", "bytedance/seedance-1.5-pro"
KEYS = keys_of("a")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


async def video_with(database: Database, options: VideoOptions, tg_user_id: int = 1) -> str:
    video_id = await add_video(database, tg_user_id)
    async with database.connection() as connection:
        await connection.execute(
            """update drafts d set aspect_ratio = $2, video_seconds = $3
               from videos v where v.order_id = d.id and v.id = $1""",
            video_id, options.aspect_ratio, options.seconds,
        )  # fmt: skip
    return video_id


def admission_of(database: Database, clock: HandClock, *video_models: str) -> Admission:
    return Admission(database, clock, KEYS, video_models or (KLING, SEEDANCE))


@pytest.mark.parametrize(
    ("options", "video_model"),
    [
        (AS_IT_COMES, KLING),
        (VideoOptions(seconds=10), KLING),
        (VideoOptions("9:16"), SEEDANCE),
        (VideoOptions("1:1", 10), SEEDANCE),
    ],
)
async def test_the_first_model_that_can_make_it_is_taken(
    database: Database, clock: HandClock, options: VideoOptions, video_model: str
) -> None:
    admission = admission_of(database, clock)
    answer = await admission.request(await video_with(database, options))
    assert isinstance(answer, Granted)
    assert answer.attempt.video_model == video_model
    begun = await admission.begin_create(answer.attempt.id)
    assert (begun.outcome, begun.options) == (BeginCreate.STARTED, options)


async def test_a_form_nobody_makes_is_our_own_mistake(database: Database, clock: HandClock) -> None:
    answer = await admission_of(database, clock, KLING).request(
        await video_with(database, VideoOptions("16:9"))
    )
    assert answer == NoneServes(Failure(FailureClass.BAD_REQUEST, code="no choice of 16:9"))


async def test_the_only_capable_model_may_rest(database: Database, clock: HandClock) -> None:
    paused = Failure(FailureClass.MODEL_UNAVAILABLE, code="500")
    accounts = Accounts(database, clock, KEYS)
    await accounts.apply_failure(account="a", key_id="a-key1", video_model=SEEDANCE, failure=paused)
    admission = admission_of(database, clock)
    landscape = await video_with(database, VideoOptions("16:9"))
    rests = NoneServes(Failure(FailureClass.MODEL_UNAVAILABLE))
    assert await admission.request(landscape) == rests
    assert await admission.request(landscape, excluded_models=[SEEDANCE]) == rests
    assert isinstance(await admission.request(await video_with(database, AS_IT_COMES, 2)), Granted)


async def test_out_of_the_queue_it_goes_to_a_model_that_can(database: Database, clock: HandClock) -> None:
    busy = Failure(FailureClass.RATE_LIMIT, code="429")
    accounts = Accounts(database, clock, KEYS)
    await accounts.apply_failure(account="a", key_id="a-key1", video_model=KLING, failure=busy)
    admission = admission_of(database, clock)
    video_id = await video_with(database, VideoOptions("16:9"))
    assert isinstance(await admission.request(video_id), Queued)
    clock.forward(61)
    (granted,) = await admission.grant_waiting()
    assert (await admission.attempt(granted.attempt_id)).video_model == SEEDANCE
