"""A day is counted from its rows, and from no others."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from domain.figures import Income, Rating, Refunded
from domain.orders import Language
from store.database import Database
from store.ledger import Ledger
from store.statistics import Statistics
from tests.fixtures.kie_rows import START, HandClock, add_user, add_videos

DAY = START.date()
KLING = "kling-2.6/image-to-video"


@dataclass
class Shop:
    database: Database

    async def write(self, sql: str, *values: Any) -> None:
        async with self.database.connection() as connection:
            await connection.execute(sql, *values)

    async def delivered(self, video_id: str, after_seconds: float, rating: int | None = None) -> None:
        """At `after_seconds` after the tap."""
        at = START + timedelta(seconds=after_seconds)
        await self.write(
            """update videos set state = 'DELIVERED', delivered_at = $2, closed_at = $2, rating = $3,
                                 rated_at = case when $3::smallint is null then null else $2::timestamptz end
               where id = $1""",
            video_id, at, rating,
        )  # fmt: skip

    async def ended(self, video_id: str, state: str, failure_class: str | None = None) -> None:
        await self.write(
            "update videos set state = $2, failure_class = $3, closed_at = $4 where id = $1",
            video_id, state, failure_class, START,
        )  # fmt: skip

    async def attempt(self, video_id: str, kie_credits: float, at: datetime = START) -> None:
        await self.write(
            """insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state,
                                     kie_task_id, task_state, credits_consumed, admitted_at, ended_at)
               select $1 || '-a1', $1, user_id, 1, $2, 'alpha', 'k', 'ACCEPTED', $1, 'SUCCESS', $3, $4, $4
               from videos where id = $1""",
            video_id, KLING, kie_credits, at,
        )  # fmt: skip

    async def paid(self, charge_id: str, user_id: int, *, state: str = "PAID", debt: int = 0) -> None:
        await self.write(
            """insert into payments (charge_id, provider, user_id, package_id, amount, currency, credits,
                                     state, debt_credits, paid_at, refunded_at)
               values ($1, 'stars', $2, 'p', 150, 'XTR', 5, $3, $4, $5,
                       case when $3 = 'REFUNDED' then $5::timestamptz end)""",
            charge_id, user_id, state, debt, START,
        )  # fmt: skip


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


@pytest_asyncio.fixture
async def statistics(database: Database) -> Statistics:
    return Statistics(database, HandClock())


async def test_an_empty_day_is_all_zeros(statistics: Statistics) -> None:
    figures = await statistics.day(DAY)
    assert (figures.orders.orders, figures.orders.videos, figures.orders.new_users) == (0, 0, 0)
    assert figures.deliveries.p50_seconds is None
    assert figures.spend.per_delivered is None
    assert (figures.refunded, figures.income, figures.by_template) == ((), (), ())


async def test_the_figures_of_a_day(shop: Shop, statistics: Statistics, database: Database) -> None:
    user = await add_user(database, 7)
    videos = await add_videos(database, user, 5)
    for number, seconds in enumerate((60, 120, 180)):
        await shop.delivered(videos[number], seconds, rating=(1, 1, -1)[number])
        await shop.attempt(videos[number], 55)
    await shop.ended(videos[3], "FAILED", "TEMPORARY")
    await shop.ended(videos[4], "WAITING")
    (cancelled,) = await add_videos(database, await add_user(database, 8))
    await shop.ended(cancelled, "CANCELLED")
    await shop.paid("c1", user)
    await shop.paid("c2", user, state="REFUNDED")

    figures = await statistics.day(DAY)
    assert (figures.orders.orders, figures.orders.customers) == (2, 2)
    assert (figures.orders.videos, figures.orders.new_users) == (6, 2)
    assert (figures.deliveries.delivered, figures.deliveries.waiting) == (3, 1)
    assert figures.deliveries.p50_seconds == 120
    assert figures.deliveries.p95_seconds == pytest.approx(174)
    assert figures.refunded == (Refunded("CANCELLED", 1, 1), Refunded("TEMPORARY", 1, 1))
    assert figures.income == (Income("XTR", 2, 300, 10, 1, 150),)
    assert (figures.spend.kie_credits, figures.spend.per_delivered) == (165, 55)
    assert figures.by_template == (Rating("ugc", 2, 1),)
    assert figures.by_video_model == (Rating(KLING, 2, 1),)


async def test_other_days_do_not_count(shop: Shop, statistics: Statistics, database: Database) -> None:
    user = await add_user(database, 7)
    (video,) = await add_videos(database, user)
    await shop.delivered(video, 60)
    await shop.attempt(video, 55)
    await shop.paid("c1", user)
    for day in (DAY - timedelta(days=1), DAY + timedelta(days=1)):
        figures = await statistics.day(day)
        assert figures.orders.orders == figures.orders.new_users == figures.deliveries.delivered == 0
        assert figures.spend.kie_credits == 0
        assert figures.income == ()


async def test_midnight_belongs_to_the_new_day(statistics: Statistics, shop: Shop) -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    for tg_user_id, moment in ((1, midnight - timedelta(microseconds=1)), (2, midnight)):
        await shop.write("insert into users (tg_user_id, created_at) values ($1, $2)", tg_user_id, moment)
    assert (await statistics.day(DAY)).orders.new_users == 1
    assert (await statistics.day(midnight.date())).orders.new_users == 1
    assert statistics.today() == DAY


async def test_what_is_known_of_a_user(shop: Shop, statistics: Statistics, database: Database) -> None:
    user = await add_user(database, 7)
    await Ledger(database, HandClock()).grant(7, 4, "", "g")
    await shop.write("update users set language = 'ru', blocked_at = $1", START)
    for _ in range(7):
        video, *_rest = await add_videos(database, user, 2)
    await shop.delivered(video, 60)
    await shop.ended(_rest[0], "FAILED", "UNKNOWN")
    await shop.write(
        """insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state,
                                 failure_class, failure_code, raw_answer, admitted_at, ended_at)
           values ('a', $1, $2, 1, 'm', 'alpha', 'k', 'REJECTED',
                   'UNKNOWN', '500', '{"msg": "odd"}', $3, $3)""",
        _rest[0], user, START,
    )  # fmt: skip
    await shop.paid("charge", user, debt=2)

    facts = await statistics.user(7)
    assert facts is not None
    assert (facts.available, facts.reserved, facts.debt_credits) == (4, 0, 2)
    assert (facts.language, facts.blocked, facts.since) == (Language.RU, True, START)
    assert (facts.order_count, len(facts.orders)) == (7, 5)
    assert {(each.delivered, each.failed) for each in facts.orders} == {(0, 0), (1, 1)}
    (failure,) = facts.failures
    assert (failure.failure_class, failure.said) == ("UNKNOWN", "500")
    assert failure.raw_answer == '{"msg": "odd"}'
    (payment,) = facts.payments
    assert await statistics.payment(7, payment.reference) == payment
    assert await statistics.payment(8, payment.reference) is None
    assert await statistics.user(8) is None
