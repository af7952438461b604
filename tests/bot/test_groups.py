"""In groups the bot says where to find it, leaves, and remembers nobody."""

import asyncio
from typing import Any

import httpx

from store.database import Database
from tests.bot.chat import Person

GROUP = -1_001_000_000_123


async def group(http: httpx.AsyncClient) -> dict[str, Any]:
    return dict((await http.get(f"/control/groups/{GROUP}")).json())


async def said(http: httpx.AsyncClient) -> list[str]:
    return [each["text"] for each in (await group(http))["messages"] if each["from_bot"]]


async def do(http: httpx.AsyncClient, deed: str, **fields: Any) -> None:
    (await http.post(f"/control/groups/{GROUP}/{deed}", json=fields)).raise_for_status()


async def users(database: Database) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval("select count(*) from users"))


async def left(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while not (await group(http))["left"]:  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.02)


async def test_added_to_a_group_it_says_where_it_is_in_the_adders_language_and_leaves(
    ann: Person, http: httpx.AsyncClient, database: Database
) -> None:
    ivan = await Person.join(http, 502, "ru")
    await do(http, "add", user_id=ivan.id)
    await left(http)
    await ann.settled()
    (goodbye,) = await said(http)
    assert "в личных чатах" in goodbye
    assert "@" in goodbye
    assert await users(database) == 0, "no row, and no welcome credits"


async def test_a_command_in_a_group_is_answered_once_and_the_rest_is_not(
    ann: Person, http: httpx.AsyncClient, database: Database
) -> None:
    await do(http, "text", user_id=ann.id, text="what a nice mug")
    await do(http, "text", user_id=ann.id, text="/start@SomeOtherBot")
    await ann.settled()
    assert await said(http) == []
    await do(http, "text", user_id=ann.id, text="/start")
    await left(http)
    await ann.settled()
    assert ["private chats only" in each for each in await said(http)] == [True]
    assert await users(database) == 0


async def test_a_group_that_takes_no_word_is_left_all_the_same(ann: Person, http: httpx.AsyncClient) -> None:
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: have no rights to send a message"}
    fault = {"where": "sendMessage", "status": 400, "body": refusal}
    (await http.post("/control/faults", json=fault)).raise_for_status()
    await do(http, "add", user_id=ann.id)
    await left(http)
    (menu,) = await ann.text("/start")
    assert "Short videos" in menu["text"]


async def test_a_group_it_cannot_leave_stops_nothing(ann: Person, http: httpx.AsyncClient) -> None:
    fault = {"where": "leaveChat", "kind": "drop_request", "times": -1}
    (await http.post("/control/faults", json=fault)).raise_for_status()
    await do(http, "add", user_id=ann.id)
    (menu,) = await ann.text("/start")
    assert "Short videos" in menu["text"]


async def test_a_channel_is_passed_over(ann: Person, http: httpx.AsyncClient, database: Database) -> None:
    channel = {"id": -1_009, "type": "channel", "title": "News"}
    post = {"message_id": 1, "date": 1, "chat": channel, "sender_chat": channel, "text": "/start"}
    for kind in ("message", "channel_post"):
        (await http.post("/control/updates", json={"update": {kind: post}})).raise_for_status()
    await ann.settled()
    assert await users(database) == 0
    journal = (await http.get("/control/journal")).json()["entries"]
    assert not [each for each in journal if each["where"] in {"sendMessage", "leaveChat"}]
