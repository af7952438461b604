import asyncio

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
