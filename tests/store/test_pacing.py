"""Never more than 25 in any second, notices before broadcasts, and a rest that is everybody's."""

import pytest

from store.database import Database
from store.limits import RateLimits
from store.pacing import PER_SECOND_MAX, Pacing
from tests.fixtures.kie_rows import HandClock

STEP_SECONDS = 0.01


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def pacing(database: Database, clock: HandClock) -> Pacing:
    return Pacing(RateLimits(database, clock))


async def test_no_second_has_more_than_it_may(pacing: Pacing, clock: HandClock) -> None:
    """Everybody asks all the time, from a full bucket on."""
    steps_a_second = round(1 / STEP_SECONDS)
    taken = []
    for _ in range(3 * steps_a_second):
        now = 0
        while not await pacing.notice():
            now += 1
        taken.append(now)
        clock.forward(STEP_SECONDS)
    windows = [sum(taken[first : first + steps_a_second]) for first in range(2 * steps_a_second)]
    assert max(windows) == windows[0] <= PER_SECOND_MAX
    assert min(windows) >= PER_SECOND_MAX - 7


async def test_a_broadcast_leaves_room_for_a_notice(pacing: Pacing) -> None:
    assert [await pacing.broadcast() for _ in range(5)].count(0) == 4
    assert await pacing.broadcast() > 0
    assert await pacing.notice(calls=2) == 0, "of a refund"
    assert await pacing.notice() > 0


async def test_stages_leave_room_for_the_notice_of_a_refund(pacing: Pacing) -> None:
    assert [await pacing.stage() for _ in range(5)] == [True, True, True, True, False]
    assert await pacing.notice(calls=2) == 0


async def test_a_notice_of_two_calls_takes_two(pacing: Pacing) -> None:
    assert [await pacing.notice(calls=2) for _ in range(2)] == [0, 0]
    assert await pacing.notice() == 0
    assert await pacing.notice(calls=2) > 0
    assert await pacing.notice() == 0


async def test_a_rest_is_everybodys_and_the_longer_one_counts(pacing: Pacing, clock: HandClock) -> None:
    await pacing.rest(10)
    await pacing.rest(2)
    assert await pacing.notice() == pytest.approx(10, abs=0.1)
    assert await pacing.wait() == pytest.approx(10, abs=0.1), "too long to wait for"
    clock.forward(9.9)
    assert await pacing.notice() > 0
    clock.forward(0.2)
    assert await pacing.notice() == 0


async def test_a_long_rest_does_not_hold_notices_back_for_as_long(pacing: Pacing) -> None:
    await pacing.rest(3_600)
    assert await pacing.notice() == pytest.approx(60, abs=1)
