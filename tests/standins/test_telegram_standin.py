"""The Telegram stand-in as a bot on bare HTTP sees it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.server import running
from tests.standins.telegram_parts import TOKEN, HttpBot, Standin, keyboard, picture, telegram


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[Standin]:
    async with telegram(tmp_path) as running_standin:
        yield running_standin


async def test_a_text_reaches_the_bot_and_its_answer_the_chat(standin: Standin) -> None:
    vera = await standin.person("Vera", "ru")
    (update,) = await standin.bot.updates()
    assert update["message"]["text"] == "/start"
    assert update["message"]["from"]["language_code"] == "ru"
    assert update["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    sent = await standin.bot.call(
        "sendMessage", chat_id=vera.id, text="  <b>Hi</b>, &lt;Vera&gt; ", parse_mode="HTML"
    )
    assert (sent["text"], sent["entities"]) == ("Hi, <Vera>", [{"type": "bold", "offset": 0, "length": 2}])
    last = await vera.last_message()
    assert (last["text"], last["rang"], last["from_bot"]) == ("Hi, <Vera>", True, True)


async def test_fields_may_come_as_json_or_in_the_query(standin: Standin) -> None:
    vera = await standin.person()
    body = {
        "chat_id": vera.id,
        "text": "a",
        "reply_markup": keyboard("Go", "go"),
        "disable_notification": True,
    }
    by_json = (await standin.http.post(f"/bot{TOKEN}/SENDMESSAGE", json=body)).json()
    by_query = (await standin.http.get(f"/bot{TOKEN}/sendMessage?chat_id={vera.id}&text=b")).json()
    assert by_json["result"]["reply_markup"] == keyboard("Go", "go")
    assert by_query["ok"]
    assert [message["rang"] for message in (await vera.messages())["messages"]] == [False, False, True]


async def test_the_bot_is_who_its_token_says(standin: Standin) -> None:
    me = await standin.bot.call("getMe")
    assert (me["id"], me["is_bot"]) == (4_242_424_242, True)
    malformed = await standin.http.get("/botnonsense/getMe")
    assert (malformed.status_code, malformed.json()["description"]) == (404, "Not Found")
    assert await standin.bot.refused("sendTelepathy") == "404 Not Found: method not found"


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"text": ""}, "400 Bad Request: message text is empty"),
        ({"text": "x" * 4097}, "400 Bad Request: message is too long"),
        (
            {"text": "x", "reply_markup": keyboard("Go", "x" * 65)},
            "400 Bad Request: BUTTON_DATA_INVALID",
        ),
        ({"text": "x", "reply_markup": keyboard("Go", "")}, "400 Bad Request: BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_markup": "{"}, "400 Bad Request: can't parse reply markup JSON object"),
        (
            {"text": "x", "reply_parameters": {"message_id": 999}},
            "400 Bad Request: message to be replied not found",
        ),
        (
            {"text": "<b>x", "parse_mode": "HTML"},
            "400 Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        (
            {"text": "<div>x</div>", "parse_mode": "HTML"},
            '400 Bad Request: can\'t parse entities: Unsupported start tag "div" at byte offset 0',
        ),
        (
            {"text": "é<b>x</i>", "parse_mode": "HTML"},
            (
                "400 Bad Request: can't parse entities: Unmatched end tag at byte offset 6, "
                'expected "</b>", found "</i>"'
            ),
        ),
        ({"chat_id": 1, "text": "x"}, "400 Bad Request: chat not found"),
    ],
)
async def test_a_message_telegram_would_refuse(
    standin: Standin, fields: dict[str, Any], refusal: str
) -> None:
    vera = await standin.person()
    assert await standin.bot.refused("sendMessage", **{"chat_id": vera.id, **fields}) == refusal


async def test_a_reply_may_go_without_its_message(standin: Standin) -> None:
    vera = await standin.person()
    gone = {"message_id": 999, "allow_sending_without_reply": True}
    alone = await standin.bot.call("sendMessage", chat_id=vera.id, text="x", reply_parameters=gone)
    assert "reply_to_message" not in alone
    here = {"message_id": alone["message_id"]}
    reply = await standin.bot.call("sendMessage", chat_id=vera.id, text="y", reply_parameters=here)
    assert reply["reply_to_message"]["message_id"] == alone["message_id"]


async def test_a_stranger_and_somebody_who_never_wrote_cannot_be_reached(standin: Standin) -> None:
    vera = await standin.person(started=False)
    refusal = await standin.bot.refused("sendMessage", chat_id=vera.id, text="x")
    assert refusal == "403 Forbidden: bot can't initiate conversation with a user"


# -- updates


async def test_updates_stay_until_they_are_confirmed(standin: Standin) -> None:
    vera = await standin.person()
    await vera.does("text", text="one")
    first = await standin.bot.call("getUpdates")
    again = await standin.bot.call("getUpdates", limit=1)
    assert [update["message"]["text"] for update in first] == ["/start", "one"]
    assert again == first[:1]
    assert await standin.bot.call("getUpdates", offset=first[-1]["update_id"] + 1) == []


async def test_a_long_poll_ends_when_something_comes(standin: Standin) -> None:
    bot = standin.bot
    poll = asyncio.create_task(bot.updates(timeout_seconds=20))
    await standin.until_polled()
    await standin.person()
    assert len(await asyncio.wait_for(poll, 15)) == 1


async def test_the_older_of_two_polls_is_told_to_go(standin: Standin) -> None:
    older = asyncio.create_task(standin.bot.ask("getUpdates", timeout=20))
    await standin.until_polled()
    assert await standin.bot.call("getUpdates") == []
    answer = await asyncio.wait_for(older, 15)
    assert answer["error_code"] == 409
    assert answer["description"].startswith("Conflict: terminated by other getUpdates request")


async def test_an_update_comes_again_on_order(standin: Standin) -> None:
    await standin.person()
    bot = standin.bot
    (update,) = await bot.updates()
    assert await bot.updates() == []
    await standin.http.post("/control/updates/repeat", json={"update_id": update["update_id"]})
    assert await bot.updates() == [update]
    assert await bot.updates() == []


async def test_an_update_is_not_lost_with_a_poll_nobody_waits_for(standin: Standin) -> None:
    await standin.person()
    (update,) = await standin.bot.updates()
    killed = asyncio.create_task(standin.bot.ask("getUpdates", offset=update["update_id"] + 1, timeout=20))
    await standin.until_polled()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    await asyncio.sleep(0.1)
    await standin.http.post("/control/updates/repeat", json={"update_id": update["update_id"]})
    await asyncio.sleep(0.1)
    assert await standin.bot.call("getUpdates", offset=update["update_id"] + 1) == [update]


async def test_only_kinds_the_bot_asked_for_come(standin: Standin) -> None:
    bot = standin.bot
    await bot.call("getUpdates", allowed_updates=["my_chat_member"])
    vera = await standin.person()
    await vera.does("block")
    (update,) = await bot.updates()
    assert update["my_chat_member"]["new_chat_member"]["status"] == "kicked"


async def test_any_update_can_be_injected(standin: Standin) -> None:
    update = {"edited_message": {"message_id": 5, "chat": {"id": 7}}}
    await standin.http.post("/control/updates", json={"update": update})
    (received,) = await standin.bot.updates()
    assert received["edited_message"] == update["edited_message"]


class WebhookBot:
    """A bot's own address, which answers as it is told."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.came: list[tuple[str | None, dict[str, Any]]] = []
        self.answer: dict[str, Any] = {}
        self.is_done = asyncio.Event()

    async def take(self, request: Request) -> Response:
        secret = request.headers.get("x-telegram-bot-api-secret-token")
        self.came.append((secret, await request.json()))
        status = self.statuses.pop(0) if self.statuses else 200
        if status < 300:
            self.is_done.set()
        return JSONResponse(self.answer, status)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/hook", self.take, methods=["POST"])])


async def test_a_webhook_is_called_until_it_accepts(standin: Standin) -> None:
    hook = WebhookBot(500, 403, 200)
    vera = await standin.person()
    hook.answer = {"method": "sendMessage", "chat_id": vera.id, "text": "from the answer"}
    async with running(hook.app()) as url:
        await standin.bot.call("setWebhook", url=f"{url}/hook", secret_token="s3cret")
        refusal = await standin.bot.refused("getUpdates")
        await asyncio.wait_for(hook.is_done.wait(), 30)
        since = (await vera.messages())["event"]
        if (await vera.last_message())["text"] != "from the answer":
            await vera.messages(since_event=since, wait_seconds=20)
        await standin.bot.call("deleteWebhook")
    assert refusal.startswith("409 Conflict: can't use getUpdates method while webhook is active")
    assert {secret for secret, _ in hook.came} == {"s3cret"}
    assert len({update["update_id"] for _, update in hook.came}) == 1
    assert len(hook.came) == 3
    assert (await vera.last_message())["text"] == "from the answer"
    assert await standin.bot.call("getUpdates") == []


# -- buttons


async def test_a_pressed_button_is_answered_with_a_toast(standin: Standin) -> None:
    vera = await standin.person()
    bot = standin.bot
    await bot.updates()
    card = await bot.call(
        "sendMessage", chat_id=vera.id, text="?", reply_markup=keyboard("Yes, please", "yes", "No", "no")
    )
    await vera.does("press", label="please")
    (update,) = await bot.updates()
    query = update["callback_query"]
    assert (query["data"], query["message"]["message_id"]) == ("yes", card["message_id"])
    assert query["message"]["reply_markup"]
    await bot.call("answerCallbackQuery", callback_query_id=query["id"], text="Accepted")
    (toast,) = await vera.toasts()
    assert (toast["text"], toast["show_alert"]) == ("Accepted", False)


async def test_a_query_gets_too_old(standin: Standin) -> None:
    vera = await standin.person()
    await standin.bot.call("sendMessage", chat_id=vera.id, text="?", reply_markup=keyboard("Go", "go"))
    pressed = await vera.does("press", callback_data="go")
    await vera.does("expire_callbacks")
    too_old = "400 Bad Request: query is too old and response timeout expired or query ID is invalid"
    for query_id in (pressed["callback_query_id"], "12345"):
        assert await standin.bot.refused("answerCallbackQuery", callback_query_id=query_id) == too_old


async def test_a_button_that_is_not_there_cannot_be_pressed(standin: Standin) -> None:
    vera = await standin.person()
    answer = await standin.http.post(f"/control/users/{vera.id}/press", json={"label": "Go"})
    assert (answer.status_code, answer.json()["error"]) == (404, "no message has this button: Go")


# -- blocked, faults, memory


async def test_a_user_who_blocked_the_bot_is_out_of_reach(standin: Standin) -> None:
    vera = await standin.person()
    bot = standin.bot
    card = await bot.call("sendMessage", chat_id=vera.id, text="a")
    await vera.does("block")
    blocked = "403 Forbidden: bot was blocked by the user"
    assert await bot.refused("sendMessage", chat_id=vera.id, text="x") == blocked
    place = {"chat_id": vera.id, "message_id": card["message_id"]}
    assert await bot.refused("editMessageText", text="b", **place) == blocked
    await vera.does("unblock")
    await bot.call("editMessageText", text="b", **place)
    kinds = [next(key for key in update if key != "update_id") for update in await bot.updates()]
    assert kinds == ["message", "my_chat_member", "my_chat_member"]


async def test_faults_reach_one_user_and_one_method(standin: Standin) -> None:
    vera, olga = await standin.person("Vera"), await standin.person("Olga")
    flood = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 7"}
    flood |= {"parameters": {"retry_after": 7}}
    await standin.order_fault(where="sendMessage", user=str(vera.id), status=429, body=flood)
    assert (await standin.bot.ask("sendMessage", chat_id=vera.id, text="x")) == flood
    await standin.bot.call("sendMessage", chat_id=olga.id, text="x")
    await standin.bot.call("sendMessage", chat_id=vera.id, text="x")


async def test_an_edit_is_applied_although_its_answer_is_lost(standin: Standin) -> None:
    vera = await standin.person()
    card = await standin.bot.call("sendMessage", chat_id=vera.id, text="a")
    await standin.order_fault(where="editMessageText", kind="drop_answer")
    with pytest.raises(httpx.TransportError):
        await standin.bot.call("editMessageText", chat_id=vera.id, message_id=card["message_id"], text="b")
    assert (await vera.last_message())["text"] == "b"
    journal = (await standin.http.get("/control/journal", params={"where": "editMessageText"})).json()
    assert journal["entries"][-1]["user"] == str(vera.id)


async def test_a_driver_waits_for_the_next_change_of_a_chat(standin: Standin) -> None:
    vera, olga = await standin.person("Vera"), await standin.person("Olga")
    since = (await vera.messages())["event"]
    waiting = asyncio.create_task(vera.messages(since_event=since, wait_seconds=20))
    await olga.does("text", text="not for Vera")
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await standin.bot.call("sendMessage", chat_id=vera.id, text="now")
    seen = await asyncio.wait_for(waiting, 15)
    assert seen["messages"][-1]["text"] == "now"
    assert (await vera.messages(since_event=seen["event"], wait_seconds=0.05))["event"] == seen["event"]


async def test_commands_by_language_and_scope(standin: Standin) -> None:
    vera = await standin.person("Vera", "ru")
    english, russian = [{"command": "help", "description": d} for d in ("Help", "Помощь")]
    await standin.bot.call("setMyCommands", commands=[english])
    await standin.bot.call("setMyCommands", commands=[russian], language_code="ru")
    shown = (await standin.http.get(f"/control/users/{vera.id}")).json()
    assert shown["commands"] == [russian]
    assert await standin.bot.call("getMyCommands") == [english]


async def test_descriptions_by_language(standin: Standin) -> None:
    vera = await standin.person("Vera", "ru")
    for language_code, text in (("", "Hello"), ("ru", "Привет")):
        await standin.bot.call("setMyDescription", description=text, language_code=language_code)
        shown = (await standin.http.get(f"/control/users/{vera.id}")).json()
        assert shown["bot_description"] == text
    assert (await standin.bot.call("getMyDescription"))["description"] == "Hello"
    await standin.bot.call("setMyShortDescription", short_description="Кратко", language_code="ru")
    assert (await standin.bot.call("getMyShortDescription"))["short_description"] == ""
    assert "too long" in await standin.bot.refused("setMyDescription", description="x" * 513)


async def test_chats_and_files_survive_a_restart(tmp_path: Path) -> None:
    async with telegram(tmp_path) as before:
        vera = await before.person()
        sent = await before.bot.call(
            "sendPhoto", {"photo": ("p.jpg", picture())}, chat_id=vera.id, caption="kept"
        )
    async with telegram(tmp_path) as after:
        users = (await after.http.get("/control/users")).json()["users"]
        assert [user["id"] for user in users] == [vera.id]
        assert users[0]["last_message"]["text"] == "kept"
        file_id = sent["photo"][-1]["file_id"]
        assert (await after.http.get(f"/files/{file_id}")).headers["content-type"] == "image/jpeg"
        (update,) = await after.bot.updates()
        assert update["message"]["text"] == "/start"


async def test_a_reset_forgets_people_and_keeps_numbers_growing(standin: Standin) -> None:
    vera = await standin.person()
    bot = HttpBot(standin.http)
    (update,) = await bot.updates()
    await standin.http.post("/control/reset")
    olga = await standin.person("Olga")
    assert olga.id > vera.id
    (fresh,) = await bot.updates()
    assert fresh["update_id"] > update["update_id"]
    gone = await standin.http.get(f"/control/users/{vera.id}/messages")
    assert gone.status_code == 404


async def test_what_was_remembered_before_there_were_stars_and_groups(tmp_path: Path) -> None:
    sender = {"id": 700000001, "is_bot": False, "first_name": "Vera", "language_code": "ru"}
    chat = {"id": 700000001, "first_name": "Vera", "type": "private"}
    body = {"message_id": 1, "from": sender, "chat": chat, "date": 1_790_000_000, "text": "/start"}
    at = "2026-09-21T12:00:00Z"
    kept = {
        "chat_id": chat["id"],
        "message_id": 1,
        "from_bot": False,
        "rang": False,
        "event": 2,
        "body": body,
    }
    user = {"id": chat["id"], "first_name": "Vera", "language_code": "ru", "has_started": True, "event": 2}
    before = {
        "generation": 3,
        "last_event": 2,
        "last_message_id": 1,
        "next_update_id": 410000002,
        "users": {chat["id"]: user},
        "messages": {chat["id"]: {1: {**kept, "versions": [{"at": at, "body": body}]}}},
        "webhook": {"url": "", "secret_token": "", "max_connections": 40},
        "allowed_updates": ["message"],
        "commands": {},
    }
    (tmp_path / "chats.json").write_text(json.dumps(before))
    async with telegram(tmp_path) as after:
        vera = (await after.http.get(f"/control/users/{chat['id']}")).json()
        assert (vera["first_name"], vera["message_count"], vera["stars"]) == ("Vera", 1, 10_000)
        assert (await after.http.get("/control/stars")).json() == {"transactions": [], "balance": 0}
        assert (await after.http.get("/control/webhook")).json()["knobs"]["duplicate"] is False
        sent = await after.bot.call("sendMessage", chat_id=chat["id"], text="still here")
        assert sent["message_id"] == 2
