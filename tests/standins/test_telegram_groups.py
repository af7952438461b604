"""Groups: the bot is added, spoken to, and leaves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.standins.telegram_parts import HttpBot, Json, Person, Standin, picture, telegram

NOT_THERE = "403 Forbidden: bot is not a member of the supergroup chat"


@dataclass(frozen=True, slots=True)
class Party:
    http: httpx.AsyncClient
    bot: HttpBot
    vera: Person
    id: int = -1001234567

    async def does(self, deed: str, **fields: object) -> Json:
        url = f"/control/groups/{self.id}/{deed}"
        answer = await self.http.post(url, json={"user_id": self.vera.id, **fields})
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def shown(self) -> Json:
        return dict((await self.http.get(f"/control/groups/{self.id}")).json())


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[Standin]:
    async with telegram(tmp_path) as running_standin:
        yield running_standin


@pytest.fixture
async def party(standin: Standin) -> Party:
    vera = await standin.person()
    bot = standin.bot
    await bot.updates()
    return Party(standin.http, bot, vera)


async def test_the_bot_is_added_says_a_word_and_leaves(party: Party) -> None:
    added = await party.does("add", title="Sellers")
    change, joined = await party.bot.updates()
    assert [change["update_id"], joined["update_id"]] == added["update_ids"]
    membership = change["my_chat_member"]
    assert membership["chat"] == {"id": party.id, "title": "Sellers", "type": "supergroup"}
    assert membership["from"]["id"] == party.vera.id
    statuses = [membership[f"{age}_chat_member"]["status"] for age in ("old", "new")]
    assert statuses == ["left", "member"]
    assert joined["message"]["new_chat_members"][0]["is_bot"]
    await party.bot.call("sendMessage", chat_id=party.id, text="I live in private chats")
    assert await party.bot.call("leaveChat", chat_id=party.id) is True
    (gone,) = await party.bot.updates()
    assert gone["my_chat_member"]["new_chat_member"]["status"] == "left"
    assert gone["my_chat_member"]["from"]["is_bot"]
    shown = await party.shown()
    assert shown["left"]
    assert [message["text"] for message in shown["messages"]] == ["", "I live in private chats"]


async def test_a_text_in_a_group(party: Party) -> None:
    await party.does("text", text="/start@neurocards_bot")
    (update,) = await party.bot.updates()
    message = update["message"]
    assert (message["chat"]["type"], message["chat"]["id"]) == ("supergroup", party.id)
    assert message["from"]["id"] == party.vera.id
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 21}]
    sent = await party.bot.call(
        "sendPhoto", {"photo": ("p.jpg", picture())}, chat_id=party.id, reply_parameters=message
    )
    assert sent["reply_to_message"]["message_id"] == message["message_id"]
    assert sent["from"]["is_bot"]
    assert (await party.bot.call("getChat", chat_id=party.id))["type"] == "supergroup"


async def test_what_a_bot_that_left_can_do(party: Party) -> None:
    await party.does("text", text="hello")
    await party.bot.call("leaveChat", chat_id=party.id)
    await party.bot.updates()
    for method, fields in (
        ("sendMessage", {"text": "x"}),
        ("editMessageText", {"text": "x", "message_id": 1}),
        ("leaveChat", {}),
    ):
        assert await party.bot.refused(method, chat_id=party.id, **fields) == NOT_THERE
    await party.does("text", text="gone?")
    assert await party.bot.updates() == []
    assert (await party.shown())["messages"][-1]["text"] == "gone?"
    await party.does("add")
    assert len(await party.bot.updates()) == 2


async def test_what_is_no_group(party: Party) -> None:
    private = await party.bot.refused("leaveChat", chat_id=party.vera.id)
    assert private == "400 Bad Request: chat member status can't be changed in private chats"
    assert await party.bot.refused("leaveChat", chat_id=-5) == "400 Bad Request: chat not found"
    post = party.http.post
    nobody = {"user_id": 5, "text": "x"}
    assert (await post("/control/groups/-7/text", json=nobody)).status_code == 404
    assert (await post("/control/groups/7/add", json={"user_id": party.vera.id})).status_code == 400
    assert (await post("/control/groups/seven/add", json={"user_id": party.vera.id})).status_code == 400
    assert (await party.http.get("/control/groups/-7")).status_code == 404
    await party.does("add")
    again = await post(f"/control/groups/{party.id}/add", json={"user_id": party.vera.id})
    assert again.status_code == 409


async def test_a_group_is_not_a_person(party: Party) -> None:
    await party.does("text", text="hello")
    state = (await party.http.get("/control/state")).json()
    assert [user["id"] for user in state["users"]] == [party.vera.id]
    assert {message["chat_id"] for message in state["messages"]} == {party.vera.id}
