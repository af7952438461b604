import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from store.albums import Album, Albums
from store.database import Database

QUIET = timedelta(seconds=1)


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


async def take(albums: Albums) -> Album | None:
    async with albums.take_quiet(QUIET) as album:
        return album


async def test_an_album_waits_until_nothing_more_comes(database: Database) -> None:
    time = Time()
    albums = Albums(database, time)
    await albums.collect(7, "g", 12, {"n": 2})
    time.passes(0.9)
    await albums.collect(7, "g", 11, {"n": 1})
    time.passes(0.9)
    assert await take(albums) is None
    time.passes(0.1)
    album = await take(albums)
    assert album == Album(7, "g", ({"n": 1}, {"n": 2}))
    assert await take(albums) is None


async def test_a_late_part_is_not_a_second_album(database: Database) -> None:
    time = Time()
    albums = Albums(database, time)
    await albums.collect(7, "g", 11, {"n": 1})
    time.passes(1)
    assert await take(albums) is not None
    await albums.collect(7, "g", 12, {"n": 2})
    time.passes(1)
    assert await take(albums) is None
    await albums.forget(timedelta(0))


async def test_an_album_that_was_not_answered_is_taken_again(database: Database) -> None:
    time = Time()
    albums = Albums(database, time)
    await albums.collect(7, "g", 11, {"n": 1})
    time.passes(1)

    async def fail() -> None:
        async with albums.take_quiet(QUIET):
            raise ValueError("answering broke")

    with pytest.raises(ValueError, match="broke"):
        await fail()
    assert await take(albums) is not None


async def test_two_bots_do_not_take_the_same_album(database: Database) -> None:
    time = Time()
    albums = Albums(database, time)
    await albums.collect(7, "g", 11, {"n": 1})
    time.passes(1)
    taken: list[Album | None] = []

    async def slowly() -> None:
        async with albums.take_quiet(QUIET) as album:
            taken.append(album)
            await asyncio.sleep(0.2)

    await asyncio.gather(slowly(), slowly(), slowly())
    assert [album for album in taken if album] == [Album(7, "g", ({"n": 1},))]
