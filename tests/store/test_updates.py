"""Two processes over one database: an update counts once, and a chat has one of them at a time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from store.database import Database
from store.updates import Claim, HandledUpdates
from tests.fixtures.kie_rows import HandClock

CHAT = -1_001_234_567_890
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def here(database: Database, clock: HandClock) -> HandledUpdates:
    return HandledUpdates(database, clock)


@pytest.fixture
async def there(database_url: str, clock: HandClock) -> AsyncIterator[HandledUpdates]:
    database = await Database.connect(database_url)
    yield HandledUpdates(database, clock)
    await database.close()


async def test_an_update_is_handled_once_and_forgotten_in_the_end(
    here: HandledUpdates, there: HandledUpdates, clock: HandClock
) -> None:
    assert await here.claim(5, CHAT) is Claim.OURS
    await here.finish(5, CHAT)
    await here.finish(5, CHAT)
    assert await here.claim(5, CHAT) is await there.claim(5, CHAT) is Claim.HANDLED
    await here.forget(SECOND)
    assert await here.claim(5, CHAT) is Claim.HANDLED
    clock.now += 2 * SECOND
    await here.forget(SECOND)
    assert await here.claim(5, CHAT) is Claim.OURS


async def test_a_chat_is_handled_in_one_process_at_a_time(
    here: HandledUpdates, there: HandledUpdates
) -> None:
    assert await here.claim(5, CHAT) is Claim.OURS
    assert await there.claim(5, CHAT) is await there.claim(6, CHAT) is Claim.BUSY
    assert not await there.claim_chat(CHAT)
    assert await there.claim(7, CHAT + 1) is Claim.OURS
    assert await here.claim(5, CHAT) is Claim.OURS, "its holder may try again"
    await here.finish(5, CHAT)
    assert await there.claim(6, CHAT) is Claim.OURS


async def test_a_chat_given_back_is_free_and_its_update_still_to_be_handled(
    here: HandledUpdates, there: HandledUpdates
) -> None:
    assert await here.claim(5, CHAT) is Claim.OURS
    await there.free(CHAT)
    assert await there.claim(5, CHAT) is Claim.BUSY, "only its holder frees it"
    await here.free(CHAT)
    assert await there.claim(5, CHAT) is Claim.OURS


async def test_who_died_holds_a_chat_until_its_lease_is_over(
    here: HandledUpdates, there: HandledUpdates, clock: HandClock
) -> None:
    assert await here.claim(5, CHAT) is Claim.OURS
    clock.now += here.lease - SECOND
    assert await there.claim(5, CHAT) is Claim.BUSY
    await here.renew([CHAT, 1, 2])
    clock.now += here.lease - SECOND
    assert await there.claim(5, CHAT) is Claim.BUSY
    clock.now += SECOND
    assert await there.claim(5, CHAT) is Claim.OURS
    await here.renew([CHAT])
    await here.finish(5, CHAT)
    assert await here.claim(6, CHAT) is Claim.BUSY, "a late comer takes nothing from the new holder"


async def test_who_waited_for_the_row_of_an_update_being_finished_does_not_get_it(
    here: HandledUpdates, there: HandledUpdates, database: Database
) -> None:
    """The claim began before the other's commit, and goes on after it."""
    assert await here.claim(5, CHAT) is Claim.OURS
    async with database.transaction() as connection:
        await connection.execute(
            "update chat_leases set until = '-infinity', handled_update_id = 5 where chat_id = $1", CHAT
        )
        await connection.execute("insert into handled_updates (update_id, handled_at) values (5, now())")
        late = asyncio.create_task(there.claim(5, CHAT))
        await _until_waiting(database)
    assert await late is Claim.BUSY
    assert await there.claim(5, CHAT) is Claim.HANDLED


async def _until_waiting(database: Database) -> None:
    async with database.connection() as connection, asyncio.timeout(60):
        while not await connection.fetchval(  # noqa: ASYNC110 - a server's state
            "select count(*) from pg_locks l join pg_stat_activity a using (pid)"
            " where not l.granted and a.datname = current_database()"
        ):
            await asyncio.sleep(0.01)


async def test_of_many_that_claim_at_once_one_wins(here: HandledUpdates, there: HandledUpdates) -> None:
    handled = 0

    async def handle(updates: HandledUpdates, update_id: int) -> None:
        nonlocal handled
        while (claim := await updates.claim(update_id, CHAT)) is Claim.BUSY:  # noqa: ASYNC110 - a row's state
            await asyncio.sleep(0.001)
        if claim is Claim.OURS:
            handled += 1
            await updates.finish(update_id, CHAT)

    for update_id in range(1, 30):
        await asyncio.gather(handle(here, update_id), handle(there, update_id))
    assert handled == 29
