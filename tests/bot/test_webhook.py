"""Updates that are posted to several bots at once: each handled once, each chat in order, none lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from bot.feeder import ALLOWED_UPDATES, ChatBusy
from bot.loops import forever
from bot.parts import BotParts
from bot.polling import Poller
from bot.webhook import Inbox, WebhookKeeper
from clients.telegram_webhooks import Webhook
from domain.clock import utc_now
from store.database import Database
from store.updates import HandledUpdates
from tests.bot.chat import ADMIN_ID, Person, RunningBot, Starts, parts_of, running_bot
from tests.bot.test_feeder import fault
from tests.bot.webhook_bots import (
    SECRET,
    Book,
    hook,
    parts_over,
    two_bots,
    until,
    until_set,
    update_of,
    webhook_bot,
)
from tests.bot.wire import Wire

ANN = 501
NOWHERE = "http://127.0.0.1:9"


async def calls(http: httpx.AsyncClient, method: str) -> list[dict[str, object]]:
    journal = (await http.get("/control/journal", params={"where": method})).json()["entries"]
    return [entry["fields"] for entry in journal]


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
    killed = HandledUpdates(database, utc_now, timedelta(seconds=1))
    await killed.claim(1, ANN)
    book = Book()
    async with parts_over(database_url, telegram_base) as parts:
        with pytest.raises(ChatBusy):
            await book.feeder(parts, patience_seconds=0.2).feed(update_of(ANN, 1))
        await book.feeder(parts).feed(update_of(ANN, 1))
    assert book.handled == [(ANN, 1)]


async def test_a_long_handler_keeps_its_chat(database_url: str, telegram_base: str) -> None:
    lease = timedelta(seconds=0.6)
    book = Book(handler_seconds=2.0)
    async with (
        parts_over(database_url, telegram_base, lease) as here,
        parts_over(database_url, telegram_base, lease) as there,
    ):
        feeder = book.feeder(here)
        renewing = asyncio.create_task(forever("leases", feeder.renew_leases, 0.2))
        first = asyncio.create_task(feeder.feed(update_of(ANN, 1)))
        await asyncio.sleep(0.2)
        with pytest.raises(ChatBusy):
            await book.feeder(there, patience_seconds=1.2).feed(update_of(ANN, 1))
        await first
        renewing.cancel()
    assert book.handled == [(ANN, 1)]


async def test_a_handler_that_is_cut_off_leaves_its_chat_to_the_next(
    database_url: str, telegram_base: str
) -> None:
    book = Book(handler_seconds=30)
    async with (
        parts_over(database_url, telegram_base) as here,
        parts_over(database_url, telegram_base) as there,
    ):
        first = asyncio.create_task(book.feeder(here).feed(update_of(ANN, 1)))
        await until(lambda: _now(book.inside.get(ANN)))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        book.handler_seconds = 0
        async with asyncio.timeout(2):
            await book.feeder(there).feed(update_of(ANN, 1))
    assert book.handled == [(ANN, 1)]


async def test_a_lane_that_is_not_free_in_time_is_said(database_url: str, telegram_base: str) -> None:
    book = Book(handler_seconds=0.6)
    async with parts_over(database_url, telegram_base) as parts:
        feeder = book.feeder(parts, patience_seconds=0.2)
        first = asyncio.create_task(feeder.feed(update_of(ANN, 1)))
        await asyncio.sleep(0.1)
        with pytest.raises(ChatBusy):
            await feeder.feed(update_of(ANN, 2))
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
            await asyncio.sleep(1.5)
            await ann.do("text", text="/help")
            await asyncio.sleep(0.5)
            told = await hook(http)
            assert told["pending"] == 2
            assert "503" in told["last_error_message"]
            await wire.mend()
            shown = [each["text"] for each in await ann.answers()]
            assert len(shown) == 2
            assert "3 credits" in shown[0]
            assert "How it works" in shown[1]


# -- the webhook itself


def keeper(parts: BotParts, url: str = NOWHERE, secret: SecretStr = SECRET) -> WebhookKeeper:
    return WebhookKeeper(parts, Webhook(url, secret, ALLOWED_UPDATES))


async def test_the_webhook_is_set_only_where_it_differs(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with parts_over(database_url, telegram_base) as parts:
        await keeper(parts).set_up()
        await keeper(parts).set_up()
        (asked,) = await calls(http, "setWebhook")
        assert asked["secret_token"] == SECRET.get_secret_value()
        assert "drop_pending_updates" not in asked
        told = await hook(http)
        assert set(told["allowed_updates"]) == set(ALLOWED_UPDATES)
        assert told["max_connections"] == 100
        await keeper(parts, secret=SecretStr("another-word")).set_up()
        await keeper(parts, f"{NOWHERE}/elsewhere").set_up()
        assert len(await calls(http, "setWebhook")) == 3


async def test_an_outage_of_telegram_is_waited_for(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    await fault(http, "getWebhookInfo", kind="drop_request", times=1)
    await fault(http, "setWebhook", status=500, body="oops", times=1)
    async with webhook_bot(database_url, telegram_base, NOWHERE):
        await until_set(http, NOWHERE)


async def test_a_webhook_that_somebody_took_away_is_set_again(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with parts_over(database_url, telegram_base) as parts:
        await keeper(parts).set_up()
        await parts.telegram.call("deleteWebhook", {})
        await keeper(parts).look()
        assert (await hook(http))["url"]


async def test_a_newer_bot_beside_us_may_ask_for_more(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with parts_over(database_url, telegram_base) as parts:
        newer = Webhook(NOWHERE, SECRET, (*ALLOWED_UPDATES, "poll"))
        await WebhookKeeper(parts, newer).set_up()
        await keeper(parts).look()
        assert "poll" in (await hook(http))["allowed_updates"]
        await keeper(parts).set_up()
        assert "poll" not in (await hook(http))["allowed_updates"]


async def test_one_of_all_bots_looks(database_url: str, telegram_base: str, http: httpx.AsyncClient) -> None:
    async with (
        parts_over(database_url, telegram_base) as here,
        parts_over(database_url, telegram_base) as there,
    ):
        await asyncio.gather(*(keeper(parts).look() for parts in (here, there, here, there)))
    assert len(await calls(http, "getWebhookInfo")) == 1


async def test_admins_hear_of_errors_and_of_a_queue_once(
    database_url: str, telegram_base: str, http: httpx.AsyncClient, database: Database
) -> None:
    admin = await Person.join(http, ADMIN_ID)
    async with parts_over(database_url, telegram_base) as parts:
        await keeper(parts).set_up()
        assert await admin._new() == []
        for number in range(101):
            await http.post(f"/control/users/{ADMIN_ID}/text", json={"text": f"{number}"})
        await until(lambda: _told(http, "last_error_message"))
        for _ in range(2):
            await keeper(parts).look()
            async with database.connection() as connection:
                await connection.execute("delete from rate_limits")
    told = [each["text"] for each in await admin._new()]
    assert len(told) == 2
    assert any("could not bring updates" in each and "Connection refused" in each for each in told)
    assert any("101 updates wait" in each for each in told)


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
    parts = replace(parts_of(database, telegram_base, Starts()), time_scale=0.05)
    bot = RunningBot.of(parts, Starts())
    bot.start()
    try:
        await ann.text("/start")
        await parts.telegram.call("setWebhook", {"url": f"{NOWHERE}/theirs"})
        await ann.do("text", text="/balance")
        await asyncio.sleep(2)
        assert (await hook(http))["url"] == f"{NOWHERE}/theirs"
        await until(lambda: _no_webhook(http))
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


async def _now(value: object) -> object:
    return value


async def _told(http: httpx.AsyncClient, name: str) -> object:
    return (await hook(http))[name]


async def _no_webhook(http: httpx.AsyncClient) -> bool:
    return not (await hook(http))["url"]
