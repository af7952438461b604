"""A small system at its end, played by hand: real stand-ins, real rows, and nothing of the product.

Vera bought one video, then two of which one failed. Olga lost one to a create without an answer, and
another waits for her. Both bought Stars; Olga had hers back.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from standins.kie.app import kie_app
from standins.kie.orders import KieSettings
from standins.server import running
from tests.chaos.auditor import AuditPlaces
from tests.standins.kie_parts import KLING, picture
from tests.standins.telegram_parts import HttpBot, Person, Standin, keyboard, telegram

VERA_1, VERA_2, OLGA_1, OLGA_2 = (digit * 20 for digit in "abcd")
_PRICE = 2
_KEY = {"authorization": "Bearer key"}
_INVOICE = {"title": "t", "description": "d", "currency": "XTR", "prices": [{"label": "l", "amount": 100}]}


@dataclass
class SmallSystem:
    connection: "asyncpg.Connection[Any]"
    telegram: Standin
    bot: HttpBot
    kie: httpx.AsyncClient
    places: AuditPlaces
    wallets: dict[int, list[int]] = field(default_factory=dict)
    users: dict[int, int] = field(default_factory=dict)

    async def run(self, query: str, *args: Any) -> Any:
        return await self.connection.fetchval(query, *args)

    # -- people and money

    async def join(self, name: str, given: int = 8) -> Person:
        person = await self.telegram.person(name)
        self.users[person.id] = await self.run(
            "insert into users (tg_user_id, created_at) values ($1, now()) returning id", person.id
        )
        await self.run("insert into wallets (user_id) values ($1)", self.users[person.id])
        self.wallets[person.id] = [0, 0]
        await self.book(person, "welcome", given, 0, f"welcome:{person.id}")
        return person

    async def book(
        self, person: Person, kind: str, available: int, reserved: int, cause: str, **more: Any
    ) -> None:
        wallet = self.wallets[person.id]
        wallet[0] += available
        wallet[1] += reserved
        user_id = self.users[person.id]
        await self.run(
            "insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, video_id,"
            " charge_id, available_after, reserved_after, created_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now())",
            *(user_id, kind, available, reserved, cause, more.get("video"), more.get("charge"), *wallet),
        )
        query = "update wallets set available = $2, reserved = $3 where user_id = $1"
        await self.run(query, user_id, *wallet)

    async def pay(self, person: Person, bought: int) -> str:
        await self.bot.call("sendInvoice", chat_id=person.id, payload=f"p{person.id}", **_INVOICE)
        paying = asyncio.create_task(person.does("pay"))
        query_id = await self._checkout()
        await self.bot.call("answerPreCheckoutQuery", pre_checkout_query_id=query_id, ok=True)
        charge = str((await paying)["charge_id"])
        await self.run(
            "insert into payments (charge_id, provider, user_id, package_id, amount, currency, credits,"
            " paid_at) values ($1, 'stars', $2, 'p', 100, 'XTR', $3, now())",
            *(charge, self.users[person.id], bought),
        )
        await self.book(person, "purchase", bought, 0, f"purchase:{charge}", charge=charge)
        balance = self.wallets[person.id][0]
        await self.tell(person, f"✅ Added: {bought} credits. Balance now: {balance} credits.")
        return charge

    async def pay_back(self, person: Person, charge: str, bought: int) -> None:
        await self.book(person, "purchase_refund", -bought, 0, f"back:{charge}", charge=charge)
        await self.run("update payments set state = 'REFUNDED' where charge_id = $1", charge)
        await self.bot.call("refundStarPayment", user_id=person.id, telegram_payment_charge_id=charge)

    async def _checkout(self) -> str:
        while True:
            for update in await self.bot.updates(timeout_seconds=5):
                if "pre_checkout_query" in update:
                    return str(update["pre_checkout_query"]["id"])

    # -- orders

    async def order(self, person: Person, order_id: str, count: int) -> None:
        """From the words to the accepted card."""
        await person.does("text", text=f"order {order_id}: a mug, slowly")
        card = await self.photo(person, "Price and balance", "Generate", f"gen:{order_id}")
        await person.does("press", message_id=card, callback_data=f"gen:{order_id}")
        await self._place(person, order_id, count)
        await self._answer_tap("Accepted, on its way")
        await self.bot.call(
            "editMessageCaption", chat_id=person.id, message_id=card, caption="✅ Accepted. You can go."
        )
        await self.note(order_id, 1, "placeholder", card, person)
        for number in range(2, count + 1):
            copy = await self.photo(person, f"✅ Accepted. Video {number}")
            await self.note(order_id, number, "placeholder", copy, person)

    async def _place(self, person: Person, order_id: str, count: int) -> None:
        user_id, price = self.users[person.id], _PRICE * count
        await self.run(
            "insert into drafts (id, user_id, origin, template, photo_file_id, photo_unique_id, video_count,"
            " price_credits, language, created_at)"
            " values ($1, $2, 'dialog', 'ugc', 'f', 'u', $3, $4, 'en', now())",
            *(order_id, user_id, count, _PRICE),
        )
        await self.run(
            "insert into orders (id, user_id, video_count, price_credits, language, state, created_at,"
            " deadline_at) values ($1, $2, $3, $4, 'en', 'CLOSED', now(), now() + interval '1 hour')",
            *(order_id, user_id, count, price),
        )
        for number in range(1, count + 1):
            await self.run(
                "insert into videos (id, order_id, user_id, number, price_credits, deadline_at)"
                " values ($1, $2, $3, $4, $5, now() + interval '1 hour')",
                *(f"{order_id}-v{number}", order_id, user_id, number, _PRICE),
            )
        await self.book(person, "reserve", -price, price, f"reserve:{order_id}")

    async def _answer_tap(self, toast: str) -> None:
        updates = await self.bot.updates()
        query = next(each["callback_query"] for each in reversed(updates) if "callback_query" in each)
        await self.bot.call("answerCallbackQuery", callback_query_id=query["id"], text=toast)

    async def photo(self, person: Person, caption: str, *buttons: str) -> int:
        sent = await self.bot.call(
            "sendPhoto",
            {"photo": ("card.jpg", picture(), "image/jpeg")},
            chat_id=person.id,
            caption=caption,
            reply_markup=keyboard(*buttons),
        )
        return int(sent["message_id"])

    async def tell(self, person: Person, text: str, *buttons: str) -> int:
        sent = await self.bot.call(
            "sendMessage", chat_id=person.id, text=text, reply_markup=keyboard(*buttons)
        )
        return int(sent["message_id"])

    async def note(
        self, order_id: str, number: int, purpose: str, message_id: int, person: Person, state: str = "SENT"
    ) -> None:
        await self.run(
            "insert into messages (order_id, video_number, purpose, state, chat_id, message_id, updated_at)"
            " values ($1, $2, $3, $4, $5, $6, now())",
            *(order_id, number, purpose, state, person.id, message_id),
        )

    # -- videos

    async def task(self, attempt_id: str, order_id: str, fails: str = "") -> str:
        """A KIE task of this attempt, at its end."""
        await self.kie.post("/control/outcomes", json={"match": attempt_id, "fail_msg": fails})
        upload = {"uploadPath": "p", "fileName": "a.jpg"}
        files = {"file": ("a.jpg", picture(), "image/jpeg")}
        put = await self.kie.post("/api/file-stream-upload", headers=_KEY, data=upload, files=files)
        given = {
            "prompt": f"A film: order {order_id}: a mug, slowly. It turns.",
            "image_urls": [put.json()["data"]["downloadUrl"]],
            "sound": True,
            "duration": "5",
        }
        body = {"model": KLING, "input": given, "callBackUrl": f"http://127.0.0.1:9/kie/{attempt_id}/x"}
        made = await self.kie.post("/api/v1/jobs/createTask", headers=_KEY, json=body)
        task_id = str(made.json()["data"]["taskId"])
        await self._until_ended(task_id)
        return task_id

    async def record(self, task_id: str) -> dict[str, Any]:
        told = await self.kie.get("/api/v1/jobs/recordInfo", headers=_KEY, params={"taskId": task_id})
        record: dict[str, Any] = told.json()["data"]
        return record

    async def _until_ended(self, task_id: str) -> None:
        async with asyncio.timeout(20):
            while (await self.record(task_id))["state"] not in ("success", "fail"):  # noqa: ASYNC110 - another server's
                await asyncio.sleep(0.02)

    async def film(self, task_id: str) -> bytes:
        result = json.loads((await self.record(task_id))["resultJson"])
        return (await self.kie.get(result["resultUrls"][0])).content

    async def attempt(self, attempt_id: str, task_id: str | None, state: str, task_state: str | None) -> None:
        """The row; its number and its video are in its id."""
        video_id, _, number = attempt_id.rpartition("-a")
        await self.run(
            "insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state,"
            " kie_task_id, task_state, admitted_at, sent_at)"
            " select $1, id, user_id, $2, $3, 'one', 'k', $4, $5, $6, now(), now() from videos where id = $7",
            *(attempt_id, int(number), KLING, state, task_id, task_state, video_id),
        )

    async def send_film(self, person: Person, task_id: str, message_id: int | None = None) -> int:
        """Into a placeholder, or as a new message."""
        content = {"video": ("v.mp4", await self.film(task_id), "video/mp4")}
        if message_id is None:
            sent = await self.bot.call("sendVideo", content, chat_id=person.id, caption="🎬 Your video")
        else:
            media = {"type": "video", "media": "attach://video", "caption": "🎬 Your video"}
            sent = await self.bot.call(
                "editMessageMedia", content, chat_id=person.id, message_id=message_id, media=media
            )
        return int(sent["message_id"])

    async def capture(self, person: Person, video_id: str, state: str = "DELIVERED") -> None:
        await self.run("update videos set state = $2, closed_at = now() where id = $1", video_id, state)
        await self.book(person, "capture", 0, -_PRICE, f"settle:{video_id}", video=video_id)

    async def refund(self, person: Person, video_id: str) -> None:
        await self.run("update videos set state = 'FAILED', closed_at = now() where id = $1", video_id)
        await self.book(person, "refund", _PRICE, -_PRICE, f"settle:{video_id}", video=video_id)

    async def deliver(self, person: Person, video_id: str, task_id: str) -> None:
        order_id, _, number = video_id.rpartition("-v")
        placeholder = await self.run(
            "select message_id from messages"
            " where order_id = $1 and video_number = $2 and purpose = 'placeholder'",
            *(order_id, int(number)),
        )
        shown = await self.send_film(person, task_id, placeholder)
        await self.note(order_id, int(number), "delivery", shown, person)
        await self.capture(person, video_id)
        ring = await self.tell(person, "✅ Your video is ready ⤴️", "⬇️ Send it here", f"here:{video_id}")
        await self.note(order_id, int(number), "ready", ring, person)

    def back(self, person: Person) -> str:
        balance = self.wallets[person.id][0]
        return f"Back on your balance: {_PRICE} credits. Balance now: {balance} credits."


async def play(system: SmallSystem) -> tuple[Person, Person]:
    vera, olga = await system.join("Vera"), await system.join("Olga")
    await _one_delivered(system, vera)
    await _one_of_two(system, vera)
    await _a_lost_answer(system, olga)
    await system.pay(vera, 20)
    await system.pay_back(olga, await system.pay(olga, 10), 10)
    await _one_waits(system, olga)
    return vera, olga


async def _one_delivered(system: SmallSystem, vera: Person) -> None:
    await system.order(vera, VERA_1, 1)
    task_id = await system.task(f"{VERA_1}-v1-a1", VERA_1)
    await system.attempt(f"{VERA_1}-v1-a1", task_id, "ACCEPTED", "SUCCESS")
    await system.deliver(vera, f"{VERA_1}-v1", task_id)
    await vera.does("press", message_id=await _ring_of(system, VERA_1), callback_data=f"here:{VERA_1}-v1")
    await system.send_film(vera, task_id)


async def _ring_of(system: SmallSystem, order_id: str) -> int:
    query = "select message_id from messages where order_id = $1 and purpose = 'ready'"
    return int(await system.run(query, order_id))


async def _one_of_two(system: SmallSystem, vera: Person) -> None:
    """The first at its second attempt; the second not at all."""
    await system.order(vera, VERA_2, 2)
    failed = await system.task(f"{VERA_2}-v1-a1", VERA_2, fails="Internal Error, Please try again later.")
    await system.attempt(f"{VERA_2}-v1-a1", failed, "ACCEPTED", "FAIL")
    made = await system.task(f"{VERA_2}-v1-a2", VERA_2)
    await system.attempt(f"{VERA_2}-v1-a2", made, "ACCEPTED", "SUCCESS")
    await system.deliver(vera, f"{VERA_2}-v1", made)
    await system.attempt(f"{VERA_2}-v2-a1", None, "REJECTED", None)
    await system.refund(vera, f"{VERA_2}-v2")
    closing = f"1 of 2 ready.\nCould not be made: 1 video.\n{system.back(vera)}"
    told = await system.tell(vera, closing, "🔁 More of this product", f"more:{VERA_2}")
    await system.note(VERA_2, 0, "closing", told, vera)


async def _a_lost_answer(system: SmallSystem, olga: Person) -> None:
    await system.order(olga, OLGA_1, 1)
    await system.task(f"{OLGA_1}-v1-a1", OLGA_1)
    await system.attempt(f"{OLGA_1}-v1-a1", None, "AMBIGUOUS", "ABANDONED")
    await system.refund(olga, f"{OLGA_1}-v1")
    text = f"❌ The video could not be made.\nIt took too long.\n{system.back(olga)}"
    told = await system.tell(olga, text, "Try again", f"again:{OLGA_1}")
    await system.note(OLGA_1, 1, "failure", told, olga)


async def _one_waits(system: SmallSystem, olga: Person) -> None:
    await system.order(olga, OLGA_2, 1)
    task_id = await system.task(f"{OLGA_2}-v1-a1", OLGA_2)
    await system.attempt(f"{OLGA_2}-v1-a1", task_id, "ACCEPTED", "SUCCESS")
    await olga.does("block")
    await system.capture(olga, f"{OLGA_2}-v1", "WAITING")


@asynccontextmanager
async def small_system(owner_url: str, folder: Path) -> AsyncIterator[SmallSystem]:
    settings = KieSettings(generation_seconds=0.02, callback_retries_max=0, queries_max=1000)
    async with (
        telegram(folder) as standin,
        running(kie_app(settings, any_key=True)) as kie_url,
        httpx.AsyncClient(base_url=kie_url, timeout=30) as kie,
    ):
        connection = await asyncpg.connect(owner_url)
        try:
            places = AuditPlaces(owner_url, standin.url, kie_url, "", "")
            yield SmallSystem(connection, standin, standin.bot, kie, places)
        finally:
            await connection.close()
