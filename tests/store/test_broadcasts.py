"""Who is next, who was being written to when somebody died, and that everybody is counted once."""

import asyncio

import asyncpg
import pytest
import pytest_asyncio

from domain.broadcasts import Broadcast, BroadcastState, Sending
from domain.orders import Language
from store.broadcasts import Broadcasts, StillRunning, UnknownBroadcast
from store.database import Database
from tests.fixtures.kie_rows import START, HandClock

TEXTS = {Language.RU: "Привет", Language.EN: "Hello"}


@pytest_asyncio.fixture
async def users(database: Database) -> list[int]:
    """Seven; the third has blocked the bot, the fifth is forgotten."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            """insert into users (tg_user_id, tg_language, blocked_at, created_at)
               select case when n <> 5 then 100 + n end, case when n % 2 = 0 then 'en' end,
                      case when n = 3 then $1::timestamptz end, $1
               from generate_series(1, 7) n returning id""",
            START,
        )
    return [row["id"] for row in rows]


@pytest.fixture
def broadcasts(database: Database) -> Broadcasts:
    return Broadcasts(database, HandClock())


def counts(broadcast: Broadcast) -> tuple[int, int, int, int]:
    return broadcast.sent, broadcast.blocked, broadcast.failed, broadcast.unknown


async def test_only_who_can_be_reached_and_only_who_was_there(
    broadcasts: Broadcasts, users: list[int], database: Database
) -> None:
    assert await broadcasts.reachable() == {Language.RU: 2, Language.EN: 3}
    started = await broadcasts.start("b", TEXTS)
    assert (started.users_total, started.left, started.state) == (5, 5, BroadcastState.RUNNING)
    async with database.connection() as connection:
        await connection.execute("insert into users (tg_user_id, created_at) values (999, $1)", START)
    stretches = [await broadcasts.claim("b", f"holder{n}", 2) for n in range(3)]
    assert stretches == [users[:2]] * 3, "nobody was begun, so they stay due"
    reached = []
    while claimed := await broadcasts.claim("b", "holder", 2):
        for user_id in claimed:
            recipient = await broadcasts.begin("b", "holder", user_id)
            assert recipient is not None
            reached.append((recipient.tg_user_id, recipient.language))
            await broadcasts.finish("b", user_id, Sending.SENT)
    RU, EN = Language.RU, Language.EN  # noqa: N806 - as they are written elsewhere
    assert reached == [(101, RU), (102, EN), (104, EN), (106, EN), (107, RU)]
    ended = await broadcasts.find("b")
    assert (ended.state, counts(ended), ended.left) == (BroadcastState.DONE, (5, 0, 0, 0), 0)
    assert ended.ended_at == START


async def test_who_was_being_written_to_is_unknown_and_never_due_again(
    broadcasts: Broadcasts, users: list[int]
) -> None:
    await broadcasts.start("b", TEXTS)
    first, second = await broadcasts.claim("b", "killed", 2)
    assert await broadcasts.begin("b", "killed", first)
    assert await broadcasts.claim("b", "next", 2) == [second]
    assert counts(await broadcasts.find("b")) == (0, 0, 0, 1)
    assert await broadcasts.begin("b", "next", first) is None
    assert await broadcasts.begin("b", "killed", second) is None, "it woke up, and is not the holder"
    assert not await broadcasts.is_held("b", "killed")
    await broadcasts.finish("b", first, Sending.SENT)
    await broadcasts.finish("b", first, Sending.SENT)
    assert counts(await broadcasts.find("b")) == (1, 0, 0, 0), "its answer came late, and once"
    assert users[0] == first


async def test_begun_twice_at_once_is_begun_once(broadcasts: Broadcasts, users: list[int]) -> None:
    await broadcasts.start("b", TEXTS)
    (user_id,) = await broadcasts.claim("b", "holder", 1)
    begun = await asyncio.gather(*(broadcasts.begin("b", "holder", user_id) for _ in range(8)))
    assert len([each for each in begun if each]) == 1
    assert user_id == users[0]


async def test_put_back_is_due_and_a_cancelled_one_is_not(broadcasts: Broadcasts, users: list[int]) -> None:
    await broadcasts.start("b", TEXTS)
    first, second = await broadcasts.claim("b", "holder", 2)
    for user_id in (first, second):
        assert await broadcasts.begin("b", "holder", user_id)
    await broadcasts.put_back("b", first)
    assert await broadcasts.begin("b", "holder", first), "tried again"
    assert await broadcasts.cancel("b")
    assert not await broadcasts.cancel("b")
    await broadcasts.put_back("b", first)
    await broadcasts.finish("b", second, Sending.SENT)
    assert await broadcasts.claim("b", "holder", 9) == []
    ended = await broadcasts.find("b")
    assert (ended.state, counts(ended)) == (BroadcastState.CANCELLED, (1, 0, 0, 0))
    assert await broadcasts.start("b2", TEXTS), "the next one may begin"
    assert users


async def test_who_blocked_the_bot_is_marked_and_who_is_gone_is_passed_over(
    broadcasts: Broadcasts, users: list[int], database: Database
) -> None:
    await broadcasts.start("b", TEXTS)
    first, second, third = await broadcasts.claim("b", "holder", 3)
    assert await broadcasts.begin("b", "holder", first)
    await broadcasts.finish("b", first, Sending.BLOCKED)
    async with database.connection() as connection:
        assert await connection.fetchval("select blocked_at from users where id = $1", first) == START
        await connection.execute("update users set tg_user_id = null where id = $1", second)
    assert await broadcasts.begin("b", "holder", second) is None
    assert await broadcasts.is_held("b", "holder")
    assert await broadcasts.begin("b", "holder", third)
    await broadcasts.finish("b", third, Sending.FAILED, "Bad Request\x00")
    assert second not in await broadcasts.claim("b", "holder", 9)
    assert counts(await broadcasts.find("b")) == (0, 1, 1, 0)
    assert users


async def test_one_at_a_time(broadcasts: Broadcasts, users: list[int]) -> None:
    outcomes = await asyncio.gather(
        *(broadcasts.start(f"b{n}", TEXTS) for n in range(5)), return_exceptions=True
    )
    assert [type(each) for each in outcomes if not isinstance(each, Broadcast)] == [StillRunning] * 4
    (running,) = await broadcasts.latest(9)
    assert running.texts == TEXTS
    assert users


async def test_nobody_to_write_to_ends_at_once(broadcasts: Broadcasts) -> None:
    assert (await broadcasts.start("b", TEXTS)).users_total == 0
    assert await broadcasts.claim("b", "holder", 9) == []
    assert (await broadcasts.find("b")).state is BroadcastState.DONE


async def test_one_that_nobody_knows(broadcasts: Broadcasts) -> None:
    with pytest.raises(UnknownBroadcast):
        await broadcasts.claim("nothing", "holder", 1)
    with pytest.raises(UnknownBroadcast):
        await broadcasts.find("nothing")
    assert not await broadcasts.cancel("nothing")


async def test_the_programs_delete_no_broadcast(broadcasts: Broadcasts, database: Database) -> None:
    await broadcasts.start("b", TEXTS)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.connection() as connection:
            await connection.execute("delete from broadcasts")


async def test_one_from_before_a_restore_ends(
    broadcasts: Broadcasts, users: list[int], owner_url: str
) -> None:
    await broadcasts.start("b", TEXTS)
    owner = await asyncpg.connect(owner_url)
    await owner.execute("insert into epochs (epoch, raised_at) values (1, now())")
    await owner.close()
    assert await broadcasts.claim("b", "holder", 9) == []
    assert (await broadcasts.find("b")).state is BroadcastState.CANCELLED
    await broadcasts.start("after", TEXTS)
    assert await broadcasts.claim("after", "holder", 1) == users[:1]
