"""Updates that are posted to several bots at once: each handled once, each chat in order, none lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import httpx
import pytest

from bot.feeder import ChatBusy
from bot.polling import Poller
from bot.webhook import Inbox
from domain.clock import utc_now
from store.database import Database
from store.updates import HandledUpdates
from tests.bot.chat import Person, RunningBot, Starts, parts_of, running_bot
from tests.bot.webhook_bots import (
    Book,
    calls,
    hook,
    parts_over,
    two_bots,
    until,
    update_of,
)
from tests.bot.wire import Wire
from tests.fixtures.kie_rows import HandClock

ANN = 501
NOWHERE = "http://127.0.0.1:9"


# -- several bots


async def test_two_bots_take_turns_in_one_dialog(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with two_bots(database_url, telegram_base, http):
        ann = await Person.join(http, ANN)
        (card,) = await ann.to_step("confirm")
        assert card["kind"] == "photo"
        await ann.press("Generate")
        shown = {each["message_id"]: each["text"] for each in await ann.messages()}
        assert "Accepted" in shown[card["message_id"]]
    assert (await hook(http))["url"], "a webhook is never deleted at shutdown"


async def test_copies_of_every_update_have_no_second_effect(
    database_url: str, telegram_base: str, http: httpx.AsyncClient, database: Database
) -> None:
    await http.post("/control/webhook", json={"duplicate": True, "separate_kinds": True})
    async with two_bots(database_url, telegram_base, http):
        ann = await Person.join(http, ANN)
        assert len(await ann.text("/start")) == 1
        for shown in (
            await ann.photo(),
            await ann.press("Own prompt"),
            await ann.text("spin"),
            await ann.press("3"),
        ):
            assert len(shown) == 1
        await ann.press("Generate")
    async with database.connection() as connection:
        assert await connection.fetchval("select reserved from wallets") == 3
        assert await connection.fetchval("select count(*) from orders") == 1


async def test_an_update_that_comes_again_later_is_acknowledged_and_passed_over(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with two_bots(database_url, telegram_base, http):
        ann = await Person.join(http, ANN)
        done = await ann.do("text", text="/balance")
        await ann.answers()
        for _ in range(4):
            await http.post("/control/updates/repeat", json={"update_id": done["update_ids"][0]})
        (menu,) = await ann.text("/start")
        assert "Short videos" in menu["text"]


async def test_of_two_feeders_one_handles_each_update_and_a_chat_has_one_at_a_time(
    database_url: str, telegram_base: str
) -> None:
    book = Book()
    async with (
        parts_over(database_url, telegram_base) as here,
        parts_over(database_url, telegram_base) as there,
    ):
        feeders = [book.feeder(here), book.feeder(there)]

        async def send(chat_id: int) -> None:
            """As Telegram does: the next one of a chat when this one is acknowledged."""
            for number in range(6):
                update = update_of(chat_id, 10 * chat_id + number)
                await asyncio.gather(*(feeder.feed(update) for feeder in feeders))

        await asyncio.gather(*(send(chat_id) for chat_id in range(1, 6)))
    assert sorted(book.handled) == [(chat, 10 * chat + number) for chat in range(1, 6) for number in range(6)]
    for chat_id in range(1, 6):
        numbers = [number for chat, number in book.handled if chat == chat_id]
        assert numbers == sorted(numbers)
    assert book.most_inside == 1


async def test_what_comes_at_once_to_two_feeders_is_handled_one_after_another(
    database_url: str, telegram_base: str
) -> None:
    book = Book(handler_seconds=0.05)
    async with (
        parts_over(database_url, telegram_base) as here,
        parts_over(database_url, telegram_base) as there,
    ):
        feeders = [book.feeder(here), book.feeder(there)]
        await asyncio.gather(*(feeders[n % 2].feed(update_of(ANN, n)) for n in range(1, 11)))
    assert sorted(number for _, number in book.handled) == list(range(1, 11))
    assert book.most_inside == 1


async def test_the_chat_of_a_bot_that_was_killed_goes_on_when_its_lease_is_over(
    database_url: str, telegram_base: str, database: Database
) -> None:
    killed = HandledUpdates(database, utc_now, timedelta(seconds=5))
    book = Book()
    async with parts_over(database_url, telegram_base) as parts:
        await killed.claim(1, ANN)
        with pytest.raises(ChatBusy):
            await book.feeder(parts, patience_seconds=0.2).feed(update_of(ANN, 1))
        await book.feeder(parts).feed(update_of(ANN, 1))
    assert book.handled == [(ANN, 1)]


async def test_a_long_handler_keeps_its_chat(database_url: str, telegram_base: str) -> None:
    clock = HandClock(utc_now())
    lease = timedelta(seconds=30)
    book = Book(handler_seconds=60)
    async with (
        parts_over(database_url, telegram_base, lease, clock) as here,
        parts_over(database_url, telegram_base, lease, clock) as there,
    ):
        feeder = book.feeder(here)
        first = asyncio.create_task(feeder.feed(update_of(ANN, 1)))
        await until(partial(book.someone_is_in, ANN))
        for _ in range(4):
            clock.forward(20)
            await feeder.renew_leases()
            with pytest.raises(ChatBusy):
                await book.feeder(there, patience_seconds=0.2).feed(update_of(ANN, 1))
        book.may_end.set()
        await first
    assert book.handled == [(ANN, 1)]


async def test_a_handler_that_is_cut_off_leaves_its_chat_to_the_next(
    database_url: str, telegram_base: str
) -> None:
    book, lease = Book(handler_seconds=60), timedelta(seconds=60)
    async with (
        parts_over(database_url, telegram_base, lease) as here,
        parts_over(database_url, telegram_base, lease) as there,
    ):
        first = asyncio.create_task(book.feeder(here).feed(update_of(ANN, 1)))
        await until(partial(book.someone_is_in, ANN))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        book.handler_seconds = 0
        async with asyncio.timeout(20):
            await book.feeder(there).feed(update_of(ANN, 1))
    assert book.handled == [(ANN, 1)]


async def test_a_lane_that_is_not_free_in_time_is_said(database_url: str, telegram_base: str) -> None:
    book = Book(handler_seconds=60)
    async with parts_over(database_url, telegram_base) as parts:
        feeder = book.feeder(parts, patience_seconds=0.2)
        first = asyncio.create_task(feeder.feed(update_of(ANN, 1)))
        await until(partial(book.someone_is_in, ANN))
        with pytest.raises(ChatBusy):
            await feeder.feed(update_of(ANN, 2))
        book.may_end.set()
        await first
        await feeder.feed(update_of(ANN, 2))
    assert book.handled == [(ANN, 1), (ANN, 2)]


async def test_a_kind_nobody_asked_for_needs_nothing(http: httpx.AsyncClient, ann: Person) -> None:
    person = {"id": 777, "is_bot": False, "first_name": "Eve"}
    for kind, payload in (
        ("inline_query", {"id": "1", "from": person, "query": "x", "offset": ""}),
        ("poll", {"id": "1"}),
        ("something_of_next_year", {"from": person}),
    ):
        (await http.post("/control/updates", json={"update": {kind: payload}})).raise_for_status()
    (menu,) = await ann.text("/start")
    assert "Short videos" in menu["text"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"update_id": "x"}',
        b'{"update_id": 7}',
        b'{"update_id": 7, "message": {"message_id": 1}}',
        b'{"update_id": 7, "something_of_next_year": {}}',
        b"[" * 100_000,
    ],
)
async def test_what_nobody_can_read_is_not_asked_for_again(
    database_url: str, telegram_base: str, http: httpx.AsyncClient, body: bytes
) -> None:
    async with parts_over(database_url, telegram_base) as parts:
        assert await Inbox(parts, Book().feeder(parts)).receive(body) is True
    assert await calls(http, "sendMessage") == []


# -- the database goes away


async def test_without_a_database_updates_wait_at_telegram_and_come_in_order(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    parts = urlsplit(database_url)
    async with Wire(parts.port or 0) as wire:
        through = database_url.replace(f":{parts.port}/", f":{wire.port}/")
        async with two_bots(through, telegram_base, http):
            ann = await Person.join(http, ANN)
            await ann.text("/start")
            await wire.cut()
            await ann.do("text", text="/balance")
            await until(partial(_was_refused, http))
            await ann.do("text", text="/help")
            await asyncio.sleep(0.5)
            assert (await hook(http))["pending"] == 2
            await wire.mend()
            shown = [each["text"] for each in await ann.answers()]
            assert len(shown) == 2
            assert "3 credits" in shown[0]
            assert "How it works" in shown[1]


# -- switching


async def test_from_polling_to_a_webhook_and_back_without_losing_an_update(
    database_url: str, telegram_base: str, http: httpx.AsyncClient, database: Database
) -> None:
    ann = await Person.join(http, ANN)
    async with running_bot(database, telegram_base):
        await ann.to_step("product_text")
    await ann.do("text", text="A blue mug")  # nobody is there
    async with two_bots(database_url, telegram_base, http):
        (wishes,) = await ann.answers()
        assert "Any wishes" in wishes["text"]
    await ann.do("text", text="On a beach")
    async with running_bot(database, telegram_base):
        (count,) = await ann.answers()
        assert "How many" in count["text"]
    assert not (await hook(http))["url"]
    assert not [each for each in await calls(http, "deleteWebhook") if each.get("drop_pending_updates")]


async def test_a_poller_does_not_rob_another_bot_of_its_webhook_at_once(
    telegram_base: str, http: httpx.AsyncClient, database: Database
) -> None:
    ann = await Person.join(http, ANN)
    parts = replace(parts_of(database, telegram_base, Starts()), time_scale=0.15)  # theirs stands for 9 s
    bot = RunningBot.of(parts, Starts())
    bot.start()
    try:
        await ann.text("/start")
        await parts.telegram.call("setWebhook", {"url": f"{NOWHERE}/theirs"})
        await ann.do("text", text="/balance")
        await asyncio.sleep(2)
        assert (await hook(http))["url"] == f"{NOWHERE}/theirs"
        await until(lambda: _no_webhook(http), 40)
        (balance,) = await ann.answers()
        assert "3 credits" in balance["text"]
    finally:
        await bot.close()


async def test_without_a_webhook_nothing_is_deleted(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with parts_over(database_url, telegram_base) as parts:
        polling = asyncio.create_task(Poller(parts, Book().feeder(parts)).run())
        await until(lambda: calls(http, "getUpdates"))
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
    assert await calls(http, "deleteWebhook") == []


async def _was_refused(http: httpx.AsyncClient) -> bool:
    return "503" in (await hook(http)).get("last_error_message", "")


async def _no_webhook(http: httpx.AsyncClient) -> bool:
    return not (await hook(http))["url"]
