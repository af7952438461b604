"""Buckets that all processes share, and how many orders one user may have."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.credits import Balance
from domain.shop import ShopRules
from store.database import Database
from store.limits import Rate, RateLimits
from store.orders import Orders, Placement, PlacementKind
from tests.fixtures.kie_rows import HandClock
from tests.store.order_rows import Rows, rows_of

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


# -- orders of one user

ANN = 1
FEW = ShopRules(open_orders_max=3, orders_per_day_max=5)


@pytest.fixture
def orders(database: Database, clock: HandClock) -> Rows:
    rows = rows_of(database, welcome_credits=50)
    return replace(rows, orders=Orders(database, rows.ledger, clock, timedelta(hours=1)))


async def place(rows: Rows, draft: str | None = None) -> Placement:
    return await rows.orders.place(draft or await rows.draft(ANN), ANN, rules=FEW)


async def test_so_many_orders_are_open_at_once_and_the_draft_waits(orders: Rows) -> None:
    first, *_ = [await place(orders) for _ in range(3)]
    draft = await orders.draft(ANN)
    assert (await place(orders, draft)).kind is PlacementKind.TOO_MANY_OPEN
    assert await orders.ledger.balance(ANN) == Balance(47, 3)
    assert (await place(orders, first.order_id)).kind is PlacementKind.ALREADY_PLACED
    await orders.orders.close(first.order_id)
    assert (await place(orders, draft)).kind is PlacementKind.PLACED


async def test_many_cards_tapped_at_once_do_not_get_past_the_limit(orders: Rows) -> None:
    drafts = [await orders.draft(ANN) for _ in range(8)]
    placed = await asyncio.gather(*(place(orders, draft) for draft in drafts))
    kinds = [each.kind for each in placed]
    assert kinds.count(PlacementKind.PLACED) == 3
    assert kinds.count(PlacementKind.TOO_MANY_OPEN) == 5
    assert await orders.ledger.balance(ANN) == Balance(47, 3)


async def test_so_many_orders_in_a_day_and_it_says_when_it_goes_on(orders: Rows, clock: HandClock) -> None:
    for _ in range(5):
        placed = await place(orders)
        await orders.orders.close(placed.order_id)
        clock.now += timedelta(hours=1)
    refused = await place(orders)
    assert refused.kind is PlacementKind.TOO_MANY_TODAY
    assert refused.goes_on_at == clock.now + timedelta(hours=19)
    clock.now = refused.goes_on_at - timedelta(seconds=1)
    assert (await place(orders)).kind is PlacementKind.TOO_MANY_TODAY
    clock.now = refused.goes_on_at
    assert (await place(orders)).kind is PlacementKind.PLACED


async def test_somebody_elses_orders_do_not_count(orders: Rows) -> None:
    assert [(await place(orders)).kind for _ in range(3)] == [PlacementKind.PLACED] * 3
    bobs = await orders.draft(2)
    assert (await orders.orders.place(bobs, 2, rules=FEW)).kind is PlacementKind.PLACED
