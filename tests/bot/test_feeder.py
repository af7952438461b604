"""Every update is handled once, in the order of its chat, whatever breaks meanwhile."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest

from bot.feeder import Lanes
from store.database import Database, DatabaseUnavailable
from tests.bot.chat import Person, RunningBot, parts_of, running_bot
from tests.bot.chat import Starts as NoStarts
from tests.bot.webhook_bots import update_of
from tests.bot.wire import Wire


async def fault(http: httpx.AsyncClient, where: str, **how: object) -> None:
    (await http.post("/control/faults", json={"where": where, **how})).raise_for_status()


def refusal(code: int, description: str) -> dict[str, object]:
    return {"status": code, "body": {"ok": False, "error_code": code, "description": description}}


async def test_what_breaks_is_apologised_for_once_and_not_repeated(
    ann: Person, http: httpx.AsyncClient
) -> None:
    await fault(http, "sendMessage", **refusal(400, "Bad Request: something is wrong"))
    (apology,) = await ann.text("/start")
    assert "something broke" in apology["text"]
    (menu,) = await ann.text("/start")
    assert "Short videos" in menu["text"]


async def test_too_many_messages_are_sent_later(ann: Person, http: httpx.AsyncClient) -> None:
    limited = refusal(429, "Too Many Requests: retry after 1")
    limited["body"] = {**limited["body"], "parameters": {"retry_after": 1}}  # type: ignore[dict-item]  # a dict
    await fault(http, "sendMessage", **limited)
    (menu,) = await ann.text("/start")
    assert "Short videos" in menu["text"]


async def test_a_blocked_bot_is_no_bug(ann: Person, http: httpx.AsyncClient) -> None:
    await fault(http, "sendMessage", **refusal(403, "Forbidden: bot was blocked by the user"))
    assert await ann.text("/start") == []


async def test_another_poller_and_an_outage_are_waited_for(ann: Person, http: httpx.AsyncClient) -> None:
    await fault(
        http, "getUpdates", times=2, **refusal(409, "Conflict: terminated by other getUpdates request")
    )
    await fault(http, "getUpdates", kind="drop_request", times=2)
    (menu,) = await ann.text("/start")
    assert "Short videos" in menu["text"]


async def test_an_update_nobody_can_read_holds_up_no_other(ann: Person, http: httpx.AsyncClient) -> None:
    nonsense = {"message": {"message_id": "no number", "chat": {"id": ann.id}}}
    (await http.post("/control/updates", json={"update": nonsense})).raise_for_status()
    (menu,) = await ann.text("/start")
    assert "Short videos" in menu["text"]


async def test_a_page_instead_of_updates_is_waited_for(ann: Person, http: httpx.AsyncClient) -> None:
    await fault(http, "getUpdates", status=200, body="<html>busy</html>", times=1)
    (menu,) = await ann.text("/start")
    assert "Short videos" in menu["text"]


async def test_an_answer_lost_on_its_way_is_given_again(ann: Person, http: httpx.AsyncClient) -> None:
    await fault(http, "sendMessage", kind="drop_request")
    (menu,) = await ann.text("/start")
    assert "Short videos" in menu["text"]


async def test_a_slow_chat_does_not_hold_the_others(ann: Person, http: httpx.AsyncClient) -> None:
    bob = await Person.join(http, 502)
    await fault(http, "sendMessage", kind="delay", delay_seconds=10, user=str(ann.id))
    await ann.do("text", text="/start")
    await bob.do("text", text="/start")
    await bob.until("Short videos")
    assert not [each for each in await ann.messages() if each["from_bot"]], "he did not wait for hers"
    assert len(await ann.answers()) == 1


async def test_a_bot_that_dies_in_a_batch_handles_each_update_once(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient
) -> None:
    await ann.to_step("product_text")
    await fault(http, "sendMessage", kind="delay_answer", delay_seconds=30, times=-1)
    await ann.do("text", text="A blue mug")
    await ann.until("Any wishes")  # sent, and the bot does not know it yet
    await bot.stop()
    await http.delete("/control/faults")
    bot.start()
    (again,) = await ann.answers()
    assert "Any wishes" in again["text"]
    (count,) = await ann.text("On a beach")
    assert "How many" in count["text"]
    (card,) = await ann.press("1")
    assert "Product: A blue mug" in card["text"]
    assert "Wishes: On a beach" in card["text"]


async def test_an_unreachable_database_leaves_updates_for_later(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    parts = urlsplit(database_url)
    async with Wire(parts.port or 0) as wire:
        through = database_url.replace(f":{parts.port}/", f":{wire.port}/")
        database = await Database.connect(through)
        async with running_bot(database, telegram_base):
            ann = await Person.join(http, 501)
            await ann.text("/start")
            await wire.cut()
            await ann.do("text", text="/balance")
            await asyncio.sleep(1)
            assert not [
                each for each in await ann.messages() if each["message_id"] > ann._seen and each["from_bot"]
            ]
            await wire.mend()
            (balance,) = await ann.answers()
            assert "3 credits" in balance["text"]
        await database.close()


async def test_a_webhook_is_told_when_nothing_was_handled(database_url: str, telegram_base: str) -> None:
    parts = urlsplit(database_url)
    async with Wire(parts.port or 0) as wire:
        database = await Database.connect(database_url.replace(f":{parts.port}/", f":{wire.port}/"))
        bot = RunningBot.of(parts_of(database, telegram_base, NoStarts()), NoStarts())
        await wire.cut()
        with pytest.raises(DatabaseUnavailable):
            await bot.feeder.feed(update_of(501, 1))
        await bot.close()
        await wire.mend()
        await database.close()


async def test_a_lane_keeps_the_order_and_is_forgotten_when_empty() -> None:
    lanes, seen = Lanes(), list[int]()

    async def stand(number: int) -> None:
        async with lanes.lane(7):
            await asyncio.sleep(0.01 / (number + 1))
            seen.append(number)

    await asyncio.gather(*(stand(number) for number in range(5)))
    assert seen == list(range(5))
    assert lanes._locks == {}
