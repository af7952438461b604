from datetime import UTC, datetime, timedelta

import pytest

from store.albums import Album, Albums
from store.database import Database

QUIET = timedelta(seconds=1)
ALBUM = Album(7, "g")


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def albums(database: Database, time: Time) -> Albums:
    return Albums(database, time)


async def test_an_album_waits_until_nothing_more_comes(albums: Albums, time: Time) -> None:
    await albums.collect(Album(7, "g"), 12, {"n": 2})
    time.passes(0.9)
    await albums.collect(Album(7, "g"), 11, {"n": 1})
    time.passes(0.9)
    assert await albums.quiet(QUIET, 10) == []
    time.passes(0.1)
    assert await albums.quiet(QUIET, 10) == [ALBUM]
    assert await albums.pictures(ALBUM) == [{"n": 1}, {"n": 2}]
    await albums.mark_taken(ALBUM)
    assert await albums.quiet(QUIET, 10) == []


async def test_the_oldest_albums_come_first_and_not_more_than_are_asked_for(
    albums: Albums, time: Time
) -> None:
    for number in (3, 1, 2):
        await albums.collect(Album(number, "g"), 11, {})
        time.passes(2)
    assert await albums.quiet(QUIET, 2) == [Album(3, "g"), Album(1, "g")]


async def test_a_late_part_is_not_a_second_album(albums: Albums, time: Time) -> None:
    await albums.collect(Album(7, "g"), 11, {"n": 1})
    time.passes(1)
    await albums.mark_taken(ALBUM)
    await albums.collect(Album(7, "g"), 12, {"n": 2})
    time.passes(1)
    assert await albums.quiet(QUIET, 10) == []
    assert await albums.pictures(ALBUM) == []


async def test_an_album_that_was_not_answered_is_found_again(albums: Albums, time: Time) -> None:
    await albums.collect(Album(7, "g"), 11, {"n": 1})
    time.passes(1)
    assert await albums.quiet(QUIET, 10) == [ALBUM]
    assert await albums.quiet(QUIET, 10) == [ALBUM]


async def test_what_was_taken_long_ago_is_forgotten(albums: Albums, time: Time, database: Database) -> None:
    await albums.collect(Album(7, "g"), 11, {"n": 1})
    await albums.collect(Album(8, "open"), 11, {"n": 1})
    await albums.mark_taken(ALBUM)
    await albums.collect(Album(7, "g"), 12, {"n": "too late"})
    time.passes(1)
    await albums.forget(timedelta(0))
    async with database.connection() as connection:
        assert await connection.fetchval("select array_agg(media_group_id) from album_pictures") == ["open"]
