"""Who is too fast, and who orders too much: a kind answer, and nothing changes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest_asyncio

from store.database import Database
from tests.bot.chat import Person, RunningBot, Starts, button_data, parts_of

OPEN_ORDERS_MAX = 2
BURST = 10
MESSAGES_PER_SECOND = 0.01


@pytest_asyncio.fixture
async def bot(database: Database, telegram_base: str) -> AsyncIterator[RunningBot]:
    """A burst of ten, and then hardly anything, however long the machine takes for what it was sent."""
    starts = Starts()
    parts = parts_of(database, telegram_base, starts)
    shop = replace(
        parts.shop,
        messages_per_second=MESSAGES_PER_SECOND,
        messages_burst_seconds=BURST / MESSAGES_PER_SECOND,
        open_orders_max=OPEN_ORDERS_MAX,
        orders_per_day_max=3,
    )
    bot = RunningBot.of(replace(parts, shop=shop, time_scale=10.0), starts)
    bot.start()
    yield bot
    await bot.close()


async def toasts(http: httpx.AsyncClient, person: Person) -> list[str]:
    answer = await http.get(f"/control/users/{person.id}/toasts")
    return [each["text"] for each in answer.json()["toasts"] if each["text"]]


async def rows(database: Database, query: str) -> Any:
    async with database.connection() as connection:
        return await connection.fetchval(query)


async def test_a_flood_of_texts_gets_one_kind_answer(ann: Person, http: httpx.AsyncClient) -> None:
    bob = await Person.join(http, 502)
    await asyncio.gather(*(ann.do("text", text="/balance") for _ in range(3 * BURST)))
    answers = [each["text"] for each in await ann.answers()]
    assert sum("You have" in each for each in answers) in range(BURST, BURST + 2)
    assert sum("Not so fast" in each for each in answers) == 1
    (menu,) = await bob.text("/start")
    assert "Short videos" in menu["text"]


async def test_a_person_told_so_in_the_language_he_chose(ann: Person, database: Database) -> None:
    await ann.text("/start")
    await rows(database, "update users set language = 'ru'")
    await asyncio.gather(*(ann.do("text", text="/balance") for _ in range(2 * BURST)))
    answers = [each["text"] for each in await ann.answers()]
    assert sum("Не так быстро" in each for each in answers) == 1


async def test_a_hundred_taps_in_a_second_are_one_order_and_toasts(
    ann: Person, http: httpx.AsyncClient, database: Database
) -> None:
    (card,) = await ann.to_step("confirm")
    await _fill_buckets(database)
    press = {
        "message_id": card["message_id"],
        "callback_data": button_data(card, "Generate"),
        "stale": True,  # his screen still shows it after the first tap was handled
    }
    tapped = await asyncio.gather(*(ann.do("press", **press) for _ in range(100)))
    assert len(tapped) == 100
    await ann.settled()
    assert await rows(database, "select count(*) from orders") == 1
    assert await rows(database, "select reserved from wallets") == 1
    told = await toasts(http, ann)
    assert any("Accepted" in each for each in told)
    assert sum("Not so fast" in each for each in told) in range(1, 10)
    assert not [each for each in await ann.answers() if "Not so fast" in each["text"]]


async def test_blocking_is_heard_of_whatever_the_pace(ann: Person, database: Database) -> None:
    await ann.text("/start")
    await asyncio.gather(*(ann.do("text", text="/balance") for _ in range(2 * BURST)))
    await ann.do("block")
    await ann.settled()
    assert await rows(database, "select count(*) from users where blocked_at is not null") == 1


async def test_a_redelivered_update_takes_nothing_from_the_bucket(
    ann: Person, http: httpx.AsyncClient, database: Database
) -> None:
    done = await ann.do("text", text="/start")
    await ann.settled()
    before = await rows(database, "select max(tokens) from rate_limits where name like 'updates%'")
    for _ in range(5):
        await http.post("/control/updates/repeat", json={"update_id": done["update_ids"][0]})
    await asyncio.sleep(0.5)
    assert await rows(database, "select max(tokens) from rate_limits where name like 'updates%'") == before


async def test_too_many_open_orders_are_refused_with_the_credits_and_the_card_stays_valid(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    for _ in range(OPEN_ORDERS_MAX):
        await _order(ann, bot)
    (card, refusal) = await _order(ann, bot)
    assert "2 orders of yours are being made" in refusal["text"]
    assert "you have 1 credit" in refusal["text"]
    assert await rows(database, "select count(*) from orders") == OPEN_ORDERS_MAX
    await rows(database, "update orders set state = 'CLOSED'")
    await ann.do("press", message_id=card["message_id"], label="Generate")
    await ann.settled()
    assert await rows(database, "select count(*) from orders") == OPEN_ORDERS_MAX + 1


async def test_too_many_orders_in_a_day_are_told_when_it_goes_on(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    for _ in range(3):
        await rows(database, "update wallets set available = 3, reserved = 0")
        await _order(ann, bot)
        await rows(database, "update orders set state = 'CLOSED'")
    await rows(database, "update wallets set available = 3, reserved = 0")
    await rows(database, "update orders set created_at = created_at - interval '20 hours 30 minutes'")
    (_, refusal) = await _order(ann, bot)
    assert "3 orders within 24 hours" in refusal["text"]
    assert "in 4 hours" in refusal["text"]


async def _order(ann: Person, bot: RunningBot) -> list[dict[str, Any]]:
    """The confirm card, and what Generate answered below it."""
    await _fill_buckets(bot.parts.limits._database)
    (card,) = await ann.to_step("confirm")
    return [card, *await ann.press("Generate")]


async def _fill_buckets(database: Database) -> None:
    """A bucket that nobody touched is full."""
    async with database.connection() as connection:
        await connection.execute("delete from rate_limits")
