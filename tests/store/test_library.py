"""What a user finds of his own: open orders with their standing, delivered videos by pages, ratings."""

from datetime import timedelta

import pytest

from domain import ids
from domain.admission import AdmissionLimits
from domain.library import Standing
from domain.orders import VideoState
from store.admission import Admission
from store.database import Database
from store.library import Library
from tests.fixtures.kie_rows import START, HandClock, add_user, add_videos, keys_of

KLING = "kling-2.6/image-to-video"
USER = 1


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def library(database: Database, clock: HandClock) -> Library:
    return Library(database, clock)


def admission_of(database: Database, clock: HandClock, in_flight_max: int = 100) -> Admission:
    limits = AdmissionLimits(in_flight_max=in_flight_max)
    return Admission(database, clock, keys_of("a"), (KLING,), limits)


async def close(
    database: Database, video_id: str, state: VideoState = VideoState.DELIVERED, hours: float = 0
) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "update videos set state = $2, closed_at = $3 where id = $1",
            video_id,
            state.value,
            START + timedelta(hours=hours),
        )


async def standings(library: Library) -> list[list[Standing]]:
    return [[video.standing for video in order.videos] for order in await library.open_orders(USER)]


async def test_each_video_stands_where_its_rows_say(
    library: Library, database: Database, clock: HandClock
) -> None:
    admission = admission_of(database, clock, in_flight_max=1)
    user_id = await add_user(database, USER)
    (unwritten,) = await add_videos(database, user_id)
    async with database.connection() as connection:
        await connection.execute("update videos set script = null where id = $1", unwritten)
        await connection.execute("update orders set created_at = created_at - interval '1 minute'")
    making, queued, starting = await add_videos(database, user_id, 3)
    assert await standings(library) == [[Standing.WRITING], [Standing.STARTING] * 3]
    attempt = ids.attempt_id(making, 1)
    await admission.request(making)
    await admission.begin_create(attempt)
    await admission.request(queued)
    await close(database, starting, VideoState.FAILED)
    assert (await standings(library))[1] == [Standing.MAKING, Standing.QUEUED, Standing.FAILED]
    (_, order) = await library.open_orders(USER)
    assert [video.stoppable for video in order.videos] == [False, True, False]
    async with database.connection() as connection:
        await connection.execute("update videos set state = 'DELIVERING' where id = $1", making)
    assert (await standings(library))[1][0] is Standing.SENDING


async def test_an_order_whose_videos_are_all_closed_is_not_open(library: Library, database: Database) -> None:
    user_id = await add_user(database, USER)
    (video,) = await add_videos(database, user_id)
    await add_videos(database, await add_user(database, 2))
    assert len(await library.open_orders(USER)) == 1
    await close(database, video)
    assert await library.open_orders(USER) == []
    assert await library.open_orders(3) == []


async def test_places_are_those_in_which_admission_grants(database: Database, clock: HandClock) -> None:
    """A seller of many stands behind another one's first, and the places say so."""
    full = admission_of(database, clock, in_flight_max=0)
    big, small = await add_user(database, 1), await add_user(database, 2)
    videos = await add_videos(database, big, 4)
    for video in videos:
        await full.request(video)
        clock.forward(1)
    (late,) = await add_videos(database, small)
    await full.request(late)
    places = await full.places([*videos, late, "nobody"])
    assert places == {videos[0]: 1, late: 2, videos[1]: 3, videos[2]: 4, videos[3]: 5}
    granted: list[str] = []
    for _ in range(5):
        one = admission_of(database, clock, in_flight_max=len(granted) + 1)
        granted += [each.video_id for each in await one.grant_waiting()]
    assert granted == sorted(places, key=lambda video: places[video])


async def test_pages_of_five_newest_first_and_beyond_the_end_the_last(
    library: Library, database: Database
) -> None:
    user_id = await add_user(database, USER)
    videos = [*await add_videos(database, user_id, 5), *await add_videos(database, user_id, 2)]
    for hours, video in enumerate(videos):
        await close(database, video, hours=hours)
    first, second, beyond = [await library.shelf(USER, page) for page in (0, 1, 99)]
    assert [video.id for video in first.videos] == videos[:1:-1]
    assert [video.id for video in second.videos] == [videos[1], videos[0]]
    assert (first.pages, second.page) == (2, 1)
    assert beyond == second
    assert (await library.shelf(USER, -3)) == first
    assert (await library.shelf(2, 0)).videos == ()


async def test_only_what_came_within_thirty_days_is_on_the_shelf(
    library: Library, database: Database, clock: HandClock
) -> None:
    user_id = await add_user(database, USER)
    delivered, waiting, failed, refunded, opened = await add_videos(database, user_id, 5)
    await close(database, delivered)
    await close(database, waiting, VideoState.WAITING, hours=1)
    await close(database, failed, VideoState.FAILED)
    await close(database, refunded, VideoState.CANCELLED)
    assert [video.id for video in (await library.shelf(USER, 0)).videos] == [waiting, delivered]
    clock.forward(timedelta(days=30, minutes=1).total_seconds())
    assert [video.id for video in (await library.shelf(USER, 0)).videos] == [waiting]
    assert opened


async def test_the_last_rating_counts_and_the_same_one_keeps_its_time(
    library: Library, database: Database, clock: HandClock
) -> None:
    (video,) = await add_videos(database, await add_user(database, USER))
    await close(database, video)
    assert await library.rate(video, USER, 1)
    clock.forward(60)
    assert await library.rate(video, USER, 1)
    assert await rating_of(database, video) == (1, START)
    assert await library.rate(video, USER, -1)
    assert await rating_of(database, video) == (-1, clock.now)


async def test_only_ones_own_delivered_videos_are_rated(library: Library, database: Database) -> None:
    (video,) = await add_videos(database, await add_user(database, USER))
    await add_user(database, 2)
    assert not await library.rate(video, USER, 1), "it is not there yet"
    await close(database, video)
    assert not await library.rate(video, 2, 1)
    assert not await library.rate("nonsense", USER, 1)
    assert await rating_of(database, video) == (None, None)


async def rating_of(database: Database, video_id: str) -> tuple[object, object]:
    async with database.connection() as connection:
        row = await connection.fetchrow("select rating, rated_at from videos where id = $1", video_id)
    assert row is not None
    return row["rating"], row["rated_at"]
