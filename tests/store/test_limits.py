"""One bucket for all processes: a burst, then so many per second, and never more."""

import asyncio
from datetime import timedelta

import pytest

from store.database import Database
from store.limits import Rate, RateLimits
from tests.fixtures.kie_rows import HandClock

RATE = Rate(per_second=2, burst=3)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def limits(database: Database, clock: HandClock) -> RateLimits:
    return RateLimits(database, clock)


async def taken(limits: RateLimits, times: int, rate: Rate = RATE) -> int:
    return [await limits.take("ann", rate) for _ in range(times)].count(0.0)


async def test_a_burst_and_then_so_many_per_second(limits: RateLimits, clock: HandClock) -> None:
    assert await taken(limits, 5) == 3
    assert await limits.take("ann", RATE) == pytest.approx(0.5)
    clock.now += timedelta(seconds=0.25)
    assert await limits.take("ann", RATE) == pytest.approx(0.25)
    clock.now += timedelta(seconds=0.25)
    assert await taken(limits, 2) == 1
    clock.now += timedelta(seconds=1)
    assert await taken(limits, 5) == 2
    clock.now += timedelta(hours=1)
    assert await taken(limits, 5) == 3


async def test_asking_in_vain_puts_nothing_off(limits: RateLimits, clock: HandClock) -> None:
    assert await taken(limits, 3) == 3
    for _ in range(10):
        clock.now += timedelta(seconds=0.05)
        last = await limits.take("ann", RATE)
    assert last == 0


async def test_everybody_has_a_bucket_of_his_own(limits: RateLimits) -> None:
    assert await taken(limits, 9) == 3
    assert await limits.take("bob", RATE) == 0


async def test_a_clock_that_goes_back_gives_and_takes_nothing(limits: RateLimits, clock: HandClock) -> None:
    assert await taken(limits, 3) == 3
    clock.now -= timedelta(minutes=1)
    assert await limits.take("ann", RATE) == pytest.approx(0.5)


async def test_two_processes_share_it(limits: RateLimits, database_url: str, clock: HandClock) -> None:
    database = await Database.connect(database_url)
    elsewhere = RateLimits(database, clock)
    both = [limits.take("ann", RATE) for _ in range(20)] + [elsewhere.take("ann", RATE) for _ in range(20)]
    waits = await asyncio.gather(*both)
    await database.close()
    assert waits.count(0.0) == 3


async def test_old_buckets_are_forgotten(limits: RateLimits, clock: HandClock, database: Database) -> None:
    await taken(limits, 3)
    clock.now += timedelta(hours=1)
    await limits.take("bob", RATE)
    await limits.forget(timedelta(minutes=30))
    async with database.connection() as connection:
        assert await connection.fetchval("select array_agg(name) from rate_limits") == ["bob"]
