"""The same cause once in a while, and never a flood; what was passed over is counted and told."""

import asyncio
from datetime import timedelta

import pytest

from store.alerts import Alerts
from store.database import Database
from tests.fixtures.kie_rows import HandClock

HOUR = timedelta(hours=1)
PAUSE = timedelta(minutes=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def alerts(database: Database, clock: HandClock) -> Alerts:
    return Alerts(database, clock)


async def test_a_cause_is_told_once_an_hour_with_what_was_passed_over(
    alerts: Alerts, clock: HandClock
) -> None:
    assert await alerts.claim("a", HOUR, "1") == 0
    assert [await alerts.claim("a", HOUR, f"s{n}") for n in range(12)] == [None] * 12
    assert await alerts.claim("b", HOUR, "2") == 0
    clock.forward(3_601)
    assert await alerts.claim("a", HOUR, "3") == 12
    clock.forward(3_601)
    assert await alerts.claim("a", HOUR, "4") == 0


async def test_many_at_once_are_one(alerts: Alerts, clock: HandClock) -> None:
    claims = await asyncio.gather(*(alerts.claim("a", HOUR, str(n)) for n in range(20)))
    assert sorted(claims, key=str) == [0, *[None] * 19]
    clock.forward(3_601)
    assert await alerts.claim("a", HOUR, "late") == 19


async def test_one_that_was_cut_off_is_sent_by_the_same_sender_again(alerts: Alerts) -> None:
    assert await alerts.claim("a", HOUR, "1") == 0
    assert await alerts.claim("a", HOUR, "1") == 0
    await alerts.sent("a")
    assert await alerts.claim("a", HOUR, "1") is None


async def test_those_that_can_wait_keep_their_distance(alerts: Alerts, clock: HandClock) -> None:
    assert await alerts.claim("a", HOUR, "1", PAUSE) == 0
    assert await alerts.claim("b", HOUR, "2", PAUSE) is None
    assert await alerts.claim("urgent", HOUR, "3") == 0
    clock.forward(61)
    assert await alerts.claim("b", HOUR, "4", PAUSE) == 1
    assert await alerts.claim("a", HOUR, "5", PAUSE) is None


async def test_what_nothing_followed_is_told_by_itself_and_once(alerts: Alerts, clock: HandClock) -> None:
    await alerts.claim("a", HOUR, "1", PAUSE)
    await alerts.claim("a", HOUR, "2", PAUSE)
    await alerts.claim("b", HOUR, "3", PAUSE)
    assert await alerts.take_suppressed(PAUSE) == {}
    clock.forward(61)
    assert await alerts.take_suppressed(PAUSE) == {"b": 1}
    assert await alerts.take_suppressed(PAUSE) == {}
    clock.forward(3_601)
    taken = await asyncio.gather(*(alerts.take_suppressed(PAUSE) for _ in range(5)))
    assert [each for each in taken if each] == [{"a": 1}]


async def test_what_reached_nobody_is_told_again_soon_and_counted(alerts: Alerts, clock: HandClock) -> None:
    assert await alerts.claim("a", HOUR, "1") == 0
    assert await alerts.claim("a", HOUR, "2") is None
    await alerts.not_sent({"a": 1}, 5 * PAUSE)
    assert await alerts.claim("a", HOUR, "3") is None
    clock.forward(301)
    assert await alerts.take_suppressed(PAUSE) == {"a": 3}
    await alerts.not_sent({"a": 3}, 5 * PAUSE)
    assert await alerts.take_suppressed(PAUSE) == {}
    clock.forward(301)
    assert await alerts.claim("a", HOUR, "4") == 3
