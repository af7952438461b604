"""How updates reach a bot that waits at an address of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.processes import free_port
from standins.server import running
from tests.standins.telegram_parts import HttpBot, Json, Person, Standin, keyboard, telegram

ONE_INVOICE: Json = {
    "title": "t",
    "description": "d",
    "payload": "p",
    "currency": "XTR",
    "prices": [{"label": "l", "amount": 5}],
}


class Hook:
    """Takes updates one way or another, and remembers how many it had in its hands at a time."""

    def __init__(self) -> None:
        self.came: list[Json] = []
        self.at_once: dict[int, int] = {}
        self.at_once_max: dict[int, int] = {}
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.url = ""
        self._changed = asyncio.Event()

    async def take(self, request: Request) -> Response:
        update = await request.json()
        self.came.append(update)
        self._changed.set()
        status = self.statuses.pop(0) if self.statuses else 200
        chat_id = _chat_of(update)
        self.at_once[chat_id] = self.at_once.get(chat_id, 0) + 1
        self.at_once_max[chat_id] = max(self.at_once_max.get(chat_id, 0), self.at_once[chat_id])
        await self.may_answer.wait()
        self.at_once[chat_id] -= 1
        return JSONResponse({}, status, self.headers if status >= 300 else {})

    async def until(self, count: int) -> list[Json]:
        async with asyncio.timeout(30):
            while len(self.came) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.came

    @property
    def ids(self) -> list[int]:
        return [update["update_id"] for update in self.came]


def _chat_of(update: Json) -> int:
    (part,) = [value for key, value in update.items() if key != "update_id"]
    return int(part.get("chat", part["from"])["id"])


@asynccontextmanager
async def hooked(standin: Standin, **settings: Any) -> AsyncIterator[Hook]:
    hook = Hook()
    async with running(Starlette(routes=[Route("/hook", hook.take, methods=["POST"])])) as url:
        hook.url = f"{url}/hook"
        await standin.bot.call("setWebhook", url=hook.url, **settings)
        yield hook
        await standin.bot.call("deleteWebhook")


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[Standin]:
    async with telegram(tmp_path) as running_standin:
        yield running_standin


async def turn(standin: Standin, **knobs: Any) -> Json:
    answer = await standin.http.post("/control/webhook", json=knobs)
    assert answer.is_success, answer.text
    return dict(answer.json())


async def state(standin: Standin) -> Json:
    return dict((await standin.http.get("/control/webhook")).json())


async def until(standin: Standin, is_reached: Callable[[Json], bool]) -> Json:
    for _ in range(1_500):
        if is_reached(shown := await state(standin)):
            return shown
        await asyncio.sleep(0.02)
    raise AssertionError(shown)


# -- the order of things


async def test_a_chat_is_served_one_update_at_a_time(standin: Standin) -> None:
    vera, olga = await standin.person("Vera"), await standin.person("Olga")
    async with hooked(standin) as hook:
        await hook.until(2)
        hook.may_answer.clear()
        for number in range(4):
            await vera.does("text", text=f"v{number}")
            await olga.does("text", text=f"o{number}")
        # Side by side: neither chat waits for the other to be done.
        await hook.until(4)
        await asyncio.sleep(0.2)  # in which one would come that does not wait for its turn
        assert hook.at_once == {vera.id: 1, olga.id: 1}
        hook.may_answer.set()
        came = (await hook.until(10))[2:]
    assert hook.at_once_max == {vera.id: 1, olga.id: 1}
    texts = [update["message"]["text"] for update in came]
    for name in "vo":
        assert [text for text in texts if text[0] == name] == [f"{name}{number}" for number in range(4)]


async def test_a_payment_does_not_wait_behind_its_chat(standin: Standin) -> None:
    vera = await standin.person()
    bot = standin.bot
    await bot.updates()
    await bot.call("sendInvoice", chat_id=vera.id, **ONE_INVOICE)
    async with hooked(standin) as hook:
        hook.may_answer.clear()
        await vera.does("text", text="slow to handle")
        await hook.until(1)
        paying = asyncio.create_task(vera.does("pay"))
        question = (await hook.until(2))[-1]["pre_checkout_query"]
        assert hook.at_once_max[vera.id] == 2
        await bot.call("answerPreCheckoutQuery", pre_checkout_query_id=question["id"], ok=True)
        assert (await paying)["paid"]
        hook.may_answer.set()


@pytest.mark.parametrize(("separate", "at_once"), [(False, 1), (True, 2)])
async def test_taps_go_beside_messages_only_on_order(
    standin: Standin, at_once: int, *, separate: bool
) -> None:
    vera = await standin.person()
    await standin.bot.updates()
    await standin.bot.call("sendMessage", chat_id=vera.id, text="?", reply_markup=keyboard("Go", "go"))
    await turn(standin, separate_kinds=separate)
    async with hooked(standin) as hook:
        hook.may_answer.clear()
        await vera.does("text", text="slow")
        await vera.does("press", label="Go")
        await hook.until(at_once)
        await asyncio.sleep(0.2)  # in which a tap would come that does not wait for its turn
        assert hook.at_once == {vera.id: at_once}
        hook.may_answer.set()
        await hook.until(2)
        await until(standin, lambda shown: shown["pending"] == 0)
    assert hook.at_once_max[vera.id] == at_once


# -- what goes wrong


async def test_an_update_comes_again_until_it_is_taken(standin: Standin) -> None:
    vera = await standin.person()
    async with hooked(standin) as hook:
        await hook.until(1)
        hook.statuses = [500, 302, 404]
        await vera.does("text", text="one")
        await vera.does("text", text="two")
        await hook.until(6)
        shown = await until(standin, lambda shown: shown["pending"] == 0)
    texts = [update["message"]["text"] for update in hook.came]
    assert texts == ["/start", "one", "one", "one", "one", "two"]
    assert len(set(hook.ids)) == 3
    assert shown["last_error_message"] == "Wrong response from the webhook: 404 Not Found"
    assert shown["last_error_date"] > 0


async def test_a_bot_that_hangs_is_asked_again(standin: Standin) -> None:
    vera = await standin.person()
    async with hooked(standin) as hook:
        await until(standin, lambda shown: shown["pending"] == 0)
        await turn(standin, timeout_seconds=0.2)
        hook.may_answer.clear()
        await vera.does("text", text="slow")
        await hook.until(3)
        # Where the machine stands still meanwhile, it may be the connection that takes too long.
        await until(standin, lambda shown: shown["last_error_message"] == "Read timeout expired")
        hook.may_answer.set()
        await turn(standin, timeout_seconds=60)
        await until(standin, lambda shown: shown["pending"] == 0)
    assert len(set(hook.ids)) == 2


async def test_a_bot_may_ask_for_time(standin: Standin) -> None:
    vera = await standin.person()
    loop = asyncio.get_running_loop()
    async with hooked(standin) as hook:
        await hook.until(1)
        hook.statuses, hook.headers = [503], {"retry-after": "1"}
        before = loop.time()
        await vera.does("text", text="later, please")
        await hook.until(3)
    assert loop.time() - before >= 1


async def test_nobody_at_the_address(standin: Standin) -> None:
    await standin.person()
    await standin.bot.call("setWebhook", url=f"http://127.0.0.1:{free_port()}/hook")
    shown = await until(standin, lambda shown: bool(shown["last_error_message"]))
    assert (shown["last_error_message"], shown["pending"]) == ("Connection refused", 1)
    info = await standin.bot.call("getWebhookInfo")
    assert info["last_error_message"] == "Connection refused"
    assert info["pending_update_count"] == 1
    async with hooked(standin) as hook:
        await hook.until(1)
        assert (await state(standin))["last_error_message"] == ""


async def test_a_new_address_does_not_wait_for_the_pause_of_the_old_one(standin: Standin) -> None:
    async with hooked(standin) as old:
        old.statuses, old.headers = [503], {"retry-after": "3600"}
        await standin.person()
        await until(standin, lambda shown: bool(shown["last_error_message"]))
        async with hooked(standin) as new:
            await new.until(1)
    assert len(old.came) == 1


async def test_an_update_is_delivered_twice_at_the_same_time(standin: Standin) -> None:
    await turn(standin, duplicate=True)
    async with hooked(standin) as hook:
        hook.may_answer.clear()
        vera = await standin.person()
        first, second = await hook.until(2)
        assert first == second
        assert hook.at_once == {vera.id: 2}
        hook.may_answer.set()
        await until(standin, lambda shown: shown["pending"] == 0)
        # It is taken when both copies are.
        hook.statuses = [200, 500]
        await vera.does("text", text="half taken")
        await hook.until(6)
        await until(standin, lambda shown: shown["pending"] == 0)
    assert len(set(hook.ids)) == 2
    assert len(hook.came) == 6


# -- setting and deleting


async def test_pending_updates_survive_every_change_of_the_webhook(standin: Standin) -> None:
    vera = await standin.person()
    async with hooked(standin) as first:
        await first.until(1)
        first.statuses = [500] * 100
        await vera.does("text", text="kept")
        await first.until(2)
    assert (await state(standin))["url"] == ""
    assert [update["message"]["text"] for update in await standin.bot.call("getUpdates")] == ["kept"]
    async with hooked(standin) as second:
        (update,) = await second.until(1)
    assert update["message"]["text"] == "kept"


async def test_pending_updates_are_dropped_only_on_demand(standin: Standin) -> None:
    await standin.person()
    await standin.bot.call("deleteWebhook")
    assert len(await standin.bot.call("getUpdates")) == 1
    await standin.bot.call("deleteWebhook", drop_pending_updates=True)
    assert await standin.bot.call("getUpdates") == []


async def test_setting_the_same_webhook_changes_nothing(standin: Standin) -> None:
    vera = await standin.person()
    async with hooked(standin, secret_token="s", allowed_updates=["callback_query", "message"]) as hook:
        await hook.until(1)
        hook.statuses = [500]
        await vera.does("text", text="x")
        await hook.until(3)
        await standin.bot.call("setWebhook", url=hook.url, secret_token="s")
        shown = await state(standin)
        assert shown["last_error_message"].startswith("Wrong response")
        # As Telegram lists them, not as they were asked for.
        assert shown["allowed_updates"] == ["message", "callback_query"]
        assert shown["has_secret_token"]
        assert "s" not in shown.values()
        await standin.bot.call("setWebhook", url=hook.url, secret_token="other", allowed_updates=[])
        shown = await state(standin)
        assert (shown["last_error_message"], shown["allowed_updates"]) == ("", [])


async def test_polling_and_a_webhook_exclude_each_other(standin: Standin) -> None:
    poll = asyncio.create_task(standin.bot.ask("getUpdates", timeout=20))
    await standin.until_polled()
    async with hooked(standin):
        ended = await asyncio.wait_for(poll, 15)
        refused = await standin.bot.refused("getUpdates")
    assert ended["error_code"] == 409
    assert ended["description"] == "Conflict: terminated by setWebhook request"
    assert refused == (
        "409 Conflict: can't use getUpdates method while webhook is active; "
        "use deleteWebhook to delete the webhook first"
    )
    assert await standin.bot.call("getUpdates") == []


async def test_two_pollers_tell_each_other(standin: Standin) -> None:
    first, second = HttpBot(standin.http), HttpBot(standin.http)
    older = asyncio.create_task(first.ask("getUpdates", timeout=20))
    await standin.until_polled()
    newer = asyncio.create_task(second.updates(timeout_seconds=20))
    answer = await asyncio.wait_for(older, 15)
    assert (answer["error_code"], answer["description"]) == (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    )
    await standin.person()
    assert len(await asyncio.wait_for(newer, 15)) == 1


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("https://bot.example/hook", True),
        ("https://bot.example:8443/hook", True),
        ("https://bot.example:88/hook", True),
        ("http://bot.example/hook", True),
        ("https://bot.example:8080/hook", False),
    ],
)
async def test_ports_are_telegrams_only_on_order(standin: Standin, url: str, *, is_taken: bool) -> None:
    await standin.bot.call("setWebhook", url=url)
    await standin.bot.call("deleteWebhook")
    await turn(standin, strict_ports=True)
    answer = await standin.bot.ask("setWebhook", url=url)
    assert answer["ok"] is is_taken
    if not is_taken:
        refusal = "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"
        assert answer["description"] == refusal
        assert (await state(standin))["url"] == ""


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"url": "ftp://bot.example"}, "invalid webhook URL specified"),
        ({"url": "https://bot.example:port/"}, "invalid webhook URL specified"),
        ({"secret_token": "x" * 257}, "secret token is too long"),
        ({"secret_token": "not here!"}, "secret token contains unallowed characters"),
    ],
)
async def test_a_webhook_telegram_would_refuse(standin: Standin, fields: Json, refusal: str) -> None:
    wanted = {"url": "https://bot.example/"} | fields
    assert await standin.bot.refused("setWebhook", **wanted) == f"400 Bad Request: {refusal}"


async def test_knobs_are_named_and_forgotten_with_everything(standin: Standin) -> None:
    assert (await turn(standin, duplicate=True))["knobs"]["duplicate"]
    kept = (await turn(standin, strict_ports=True))["knobs"]
    assert (kept["duplicate"], kept["strict_ports"]) == (True, True)
    wrong = await standin.http.post("/control/webhook", json={"speed": 1})
    assert wrong.status_code == 400
    assert wrong.json()["error"].startswith("the knobs are strict_ports, duplicate")
    await standin.http.post("/control/reset")
    knobs = (await state(standin))["knobs"]
    assert (knobs["duplicate"], knobs["strict_ports"]) == (False, False)


async def test_everything_is_forgotten_in_the_middle_of_a_delivery(standin: Standin) -> None:
    vera = await standin.person()
    async with hooked(standin) as hook:
        await hook.until(1)
        hook.may_answer.clear()
        await vera.does("text", text="forgotten")
        await hook.until(2)
        await standin.http.post("/control/reset")
        olga = await standin.person("Olga")
        hook.may_answer.set()
        assert _chat_of((await hook.until(3))[-1]) == olga.id
        await until(standin, lambda shown: shown["pending"] == 0)


async def test_an_update_of_a_kind_nobody_asked_for(standin: Standin) -> None:
    person = Person(standin.http, 7)
    sender = {"id": person.id, "is_bot": False, "first_name": "V"}
    update = {"poll_answer": {"poll_id": "1", "user": sender, "from": sender, "option_ids": []}}
    async with hooked(standin, allowed_updates=["message"]) as hook:
        quiet = await standin.http.post("/control/updates", json={"update": update})
        assert quiet.json()["update_id"] == 0
        await standin.http.post("/control/updates", json={"update": update, "force": True})
        assert "poll_answer" in (await hook.until(1))[0]
