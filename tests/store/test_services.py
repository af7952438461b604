import asyncio

import pytest

from store.database import Database
from store.services import OutageRules, ServiceHealth, Services
from tests.fixtures.kie_rows import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(database: Database, clock: HandClock) -> Services:
    return Services(database, clock)


async def test_ten_in_a_row_mark_it_down_and_one_caller_tells_people(services: Services) -> None:
    healths = await asyncio.gather(*(services.unreachable("kie") for _ in range(12)))
    assert sorted(health.in_row for health in healths) == list(range(1, 13))
    assert [health.in_row for health in healths if health.newly_down] == [10]
    assert all(health.down == (health.in_row >= 10) for health in healths)


async def test_an_answer_between_them_starts_the_count_again(services: Services) -> None:
    for _ in range(9):
        await services.unreachable("kie")
    assert not await services.reached("kie")
    assert await services.unreachable("kie") == ServiceHealth(down=False, in_row=1)


async def test_one_probe_a_minute_while_it_is_down(services: Services, clock: HandClock) -> None:
    for _ in range(10):
        await services.unreachable("kie")
    assert await services.wait_before_call("kie") == 60
    clock.forward(60)
    waits = await asyncio.gather(*(services.wait_before_call("kie") for _ in range(5)))
    assert sorted(waits) == [0, 60, 60, 60, 60]
    clock.forward(20)
    assert (await services.unreachable("kie")).next_probe_in_seconds == 40


async def test_the_first_answer_ends_the_outage_for_one_caller(services: Services) -> None:
    for _ in range(10):
        await services.unreachable("kie")
    ended = await asyncio.gather(*(services.reached("kie") for _ in range(4)))
    assert sorted(ended) == [False, False, False, True]
    assert await services.wait_before_call("kie") == 0


async def test_services_do_not_mix(services: Services) -> None:
    for _ in range(10):
        await services.unreachable("telegram")
    assert await services.wait_before_call("kie") == 0
    assert not await services.reached("openai")
    assert [(each.service, each.in_row) for each in await services.statuses()] == [("telegram", 10)]


async def test_rules_are_handed_in(database: Database, clock: HandClock) -> None:
    services = Services(database, clock, OutageRules(down_after_in_row=1, probe_seconds=0.6))
    assert await services.unreachable("kie") == ServiceHealth(True, 1, 0.6, newly_down=True)
