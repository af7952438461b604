import asyncio
from datetime import UTC, datetime, timedelta

from domain.clock import utc_now
from domain.orders import Language
from store.database import Database
from store.ledger import Ledger
from store.users import Users


def users_of(database: Database, welcome_credits: int = 3) -> Users:
    return Users(database, Ledger(database, utc_now), utc_now, welcome_credits)


async def test_a_person_is_registered_and_welcomed_once(database: Database) -> None:
    users = users_of(database)
    registered = await asyncio.gather(*(users.register(7, "en") for _ in range(8)))
    assert len({user.id for user in registered}) == 1
    assert (await Ledger(database, utc_now).balance(7)).available == 3


async def test_a_grant_before_the_first_message_does_not_cost_the_welcome(database: Database) -> None:
    ledger = Ledger(database, utc_now)
    await ledger.grant(7, 5, "in advance", "g1")
    await users_of(database).register(7, "en")
    assert (await ledger.balance(7)).available == 8


async def test_without_welcome_credits_nothing_is_written(database: Database) -> None:
    await users_of(database, welcome_credits=0).register(7, "en")
    assert (await Ledger(database, utc_now).balance(7)).available == 0


async def test_the_choice_of_a_language_outlives_what_telegram_says(database: Database) -> None:
    users = users_of(database)
    assert (await users.register(7, "uk")).language is Language.RU
    assert (await users.register(7, "de")).language is Language.EN
    await users.choose_language(7, Language.RU)
    assert (await users.register(7, "de")).language is Language.RU
    assert (await users.register(8, None)).language is Language.RU


async def test_blocking_is_remembered_and_forgotten(database: Database) -> None:
    users = users_of(database)
    await users.register(7, "en")
    await users.mark_blocked(7)
    assert (await users.register(7, "en")).blocked
    await users.mark_unblocked(7)
    assert not (await users.register(7, "en")).blocked
    assert await users.find(8) is None


class Day:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 23, tzinfo=UTC)

    def clock(self) -> datetime:
        return self.now


async def test_welcome_credits_end_for_the_day_and_come_the_next(database: Database) -> None:
    day = Day()
    ledger = Ledger(database, day.clock)
    users = Users(database, ledger, day.clock, welcome_credits=3, welcome_per_day=2)
    come = [await users.register(number, "en") for number in (1, 2, 3, 4, 3)]
    assert [user.welcome_over for user in come] == [False, False, True, False, False]
    assert [(await ledger.balance(number)).available for number in (1, 2, 3, 4)] == [3, 3, 0, 0]
    day.now += timedelta(hours=2)
    await users.register(3, "en")
    await users.register(3, "en")
    await users.register(1, "en")
    assert [(await ledger.balance(number)).available for number in (1, 3, 4)] == [3, 3, 0]


async def test_a_crowd_shares_exactly_the_welcome_credits_of_a_day(database: Database) -> None:
    ledger = Ledger(database, utc_now)
    users = Users(database, ledger, utc_now, welcome_credits=3, welcome_per_day=4)
    come = await asyncio.gather(*(users.register(number % 8, "en") for number in range(24)))
    assert sum(user.welcome_over for user in come) == 1
    balances = [(await ledger.balance(number)).available for number in range(8)]
    assert sorted(balances) == [0] * 4 + [3] * 4


async def test_the_same_newcomer_twice_at_once_is_counted_once(database: Database) -> None:
    users = Users(database, Ledger(database, utc_now), utc_now, welcome_credits=3, welcome_per_day=2)
    await asyncio.gather(*(users.register(1, "en") for _ in range(6)))
    async with database.connection() as connection:
        assert await connection.fetchval("select given from welcome_days") == 1


async def test_no_share_at_all_is_no_news(database: Database) -> None:
    users = Users(database, Ledger(database, utc_now), utc_now, welcome_credits=3, welcome_per_day=0)
    assert not (await users.register(1, "en")).welcome_over


async def test_accepted_terms_are_kept_with_their_time_and_only_rise(database: Database) -> None:
    day = Day()
    users = Users(database, Ledger(database, day.clock), day.clock, welcome_credits=0)
    user = await users.register(1, "en")
    assert user.terms_version == 0
    await users.accept_terms(user.id, 2)
    first, day.now = day.now, day.now + timedelta(days=1)
    await users.accept_terms(user.id, 2)
    await users.accept_terms(user.id, 1)
    assert (await users.register(1, "en")).terms_version == 2
    async with database.connection() as connection:
        assert await connection.fetchval("select terms_accepted_at from users") == first
