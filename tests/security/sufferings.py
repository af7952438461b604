"""What is done to a system so that somebody might say too much: every refusal repeats the secrets."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx

from local.stack import Stack
from tests.run.programs import ended
from tests.security.canaries import Canaries, canary
from tests.security.echoes import of_kie, of_openai, of_telegram, page
from tests.stories.seller import Seller, soon
from tests.stories.world import ADMIN_ID, World

Suffering = Callable[[World, Canaries, str], Awaitable[None]]


async def buys(world: World, marker: str) -> Seller:
    """However it ends: closed it must be."""
    seller = await world.seller(marker)
    await seller.buy(world.photo, f"{marker} by the window")
    return seller


async def buys_with_gpt(world: World, marker: str) -> Seller:
    seller = await world.seller(marker)
    await seller.send_photo(world.photo)
    await seller.press("UGC")
    question = await seller.wait_for_button("Skip")
    await seller.say(f"A mug {marker}")
    await seller.press("Skip", await seller.wait_for_button("Skip", after=question.id))
    await seller.press("1")
    await seller.press("Generate")
    return seller


async def delivered(world: World, _: Canaries, marker: str) -> None:
    seller = await buys_with_gpt(world, marker)
    await seller.wait_for_videos(1)
    await world.facts(seller, marker)


def kie_says(where: str, **fault: Any) -> Suffering:
    async def suffer(world: World, canaries: Canaries, marker: str) -> None:
        body = fault.get("body", of_kie(canaries))
        await world.kie_fault(where, marker, **{"times": 4, "status": 200, **fault, "body": body})
        await world.facts(await buys(world, marker), marker)

    return suffer


def kie_page(where: str, status: int) -> Suffering:
    async def suffer(world: World, canaries: Canaries, marker: str) -> None:
        await world.kie_fault(where, marker, times=4, status=status, body=page(canaries.kie_keys[0]))
        await world.facts(await buys(world, marker), marker)

    return suffer


async def kie_refuses_the_key(world: World, canaries: Canaries, marker: str) -> None:
    await world.kie_fault("createTask", marker, times=1, status=401, body=of_kie(canaries, 401))
    await world.facts(await buys(world, marker), marker)


async def kie_does_not_know_why(world: World, canaries: Canaries, marker: str) -> None:
    """The administrators are told with the raw answer."""
    words = of_kie(canaries, words="a reason of tomorrow")["msg"]
    await world.kie_outcome(marker, times=1, fail_code="777", fail_msg=words)
    await world.facts(await buys(world, marker), marker)
    admin = Seller(world.telegram, ADMIN_ID, "Admin")
    await admin.wait_for_text("UNKNOWN", "attempt")


def openai_says(where: str, status: int, **fault: Any) -> Suffering:
    async def suffer(world: World, canaries: Canaries, marker: str) -> None:
        body = page(canaries.openai_key) if status == 502 else of_openai(canaries)
        await world.openai_fault(where, marker, **{"times": 4, "status": status, "body": body, **fault})
        await world.facts(await buys_with_gpt(world, marker), marker)

    return suffer


def telegram_says(where: str, code: int, times: int, words: str = "Bad Request", **fault: Any) -> Suffering:
    async def suffer(world: World, canaries: Canaries, marker: str) -> None:
        seller = await world.seller(marker)
        card = await seller.order(world.photo, f"{marker} slowly")
        body = of_telegram(canaries, code, words)
        given = {"times": times, "status": code, "body": body, **fault}
        await world.telegram_fault(where, seller, **given)
        await seller.press("Generate", card)
        await world.facts(seller, marker)

    return suffer


async def payments(world: World, canaries: Canaries, marker: str) -> None:
    seller = await world.seller(marker)
    await world.telegram_fault("sendInvoice", seller, times=1, status=400, body=of_telegram(canaries))
    for _ in range(2):
        await seller.say("/balance")
        await seller.press("Top up")
        await seller.press("5 credits")
        await asyncio.sleep(1)
    paid = await seller.pay()
    await seller.wait_for_text("Added")
    await world.telegram_fault("refundStarPayment", seller, times=2, status=400, body=of_telegram(canaries))
    await world.system.admin("refund-payment", paid["charge_id"], "--yes")
    refused = "select refund_error from payments where refund_error <> ''"
    await soon(lambda: world.rows(refused), "Telegram's refusal of a refund is kept")


async def administration(world: World, _: Canaries, marker: str) -> None:
    seller, admin = await world.seller(marker), Seller(world.telegram, ADMIN_ID, "Admin")
    commands = (
        "/admin",
        "/today",
        f"/user {seller.id}",
        "/accounts",
        "/maintenance off",
        "/orders",
        "/videos",
    )
    for command in (*commands, f"/grant {seller.id} 1 x"):
        before = await admin.last_id()
        await admin.say(command)
        await admin.wait_for_text("", after=before)


async def cancelled(world: World, _: Canaries, marker: str) -> None:
    await world.openai_fault("moderations", marker, kind="delay_answer", times=-1, delay_seconds=60)
    seller = await buys(world, marker)
    await seller.press("Cancel the order")
    await seller.press("Yes, cancel")
    await world.facts(seller, marker)


async def bad_refresh_of_balances(world: World, canaries: Canaries, _: str) -> None:
    await world.kie_fault("credit", "", times=6, status=200, body=of_kie(canaries))


FIRST: tuple[Suffering, ...] = (delivered, cancelled, payments, administration, kie_does_not_know_why)
"""While all is well otherwise."""

TOGETHER: tuple[Suffering, ...] = (
    bad_refresh_of_balances,
    kie_says("createTask"),
    kie_says("createTask", status=500),
    kie_says("createTask", kind="drop_answer", times=1),
    kie_says("createTask", kind="half_answer", times=1),
    kie_says("recordInfo", times=2),
    kie_page("createTask", 503),
    kie_page("recordInfo", 502),
    openai_says("responses", 401),
    openai_says("responses", 500),
    openai_says("responses", 502),
    openai_says("responses", 200, kind="half_answer"),
    openai_says("moderations", 400),
    openai_says("moderations", 429),
    telegram_says("editMessageMedia", 400, 9),
    telegram_says("editMessageMedia", 502, 2),
    telegram_says("editMessageCaption", 403, 9, "Forbidden: bot was blocked by the user"),
    telegram_says("sendMessage", 403, 3, "Forbidden: bot was blocked by the user"),
    telegram_says("getFile", 400, 1),
    telegram_says("getFile", 404, 1, "Not Found"),
    telegram_says("answerCallbackQuery", 400, 3),
    telegram_says("*", 400, 4),
)
"""Each with a seller of its own; what blocks an account hits the others, too."""


async def upload_refused(world: World, canaries: Canaries, marker: str) -> None:
    await world.kie_fault("upload", "", times=2, status=200, body=of_kie(canaries, 400))
    await world.facts(await buys(world, marker), marker)


LAST: tuple[Suffering, ...] = (upload_refused, kie_refuses_the_key)


async def a_bug(world: World, owner: Callable[[str], Awaitable[None]], marker: str) -> None:
    """A table is not where the handlers think it is."""
    seller = await world.seller(marker)
    await owner("alter table conversations rename to conversations_away")
    await seller.say("hello?")
    await seller.wait_for_text("broke on our side")
    await owner("alter table conversations_away rename to conversations")


async def has_ordered(world: World, seller: Seller) -> bool:
    order = "select 1 from orders o join users u on u.id = o.user_id where u.tg_user_id = $1"
    return bool(await world.rows(order, seller.id))


async def servers_die(world: World, stack: Stack, marker: str) -> None:
    """In the middle of orders."""
    sellers = [await buys(world, f"{marker}{number}") for number in range(2)]
    for seller in sellers:
        await soon(partial(has_ordered, world, seller), "an order is there")
    await stack.postgres.child.kill()
    await stack.temporal.child.kill()
    await asyncio.sleep(3)
    await stack.postgres.start()
    await stack.temporal.start()
    for number, seller in enumerate(sellers):
        await world.facts(seller, f"{marker}{number}")


async def strangers(web_url: str, canaries: Canaries, webhook_secret: str) -> None:
    """At the bot's own door: with wrong secrets, and with right ones and nonsense."""
    webhook = {"x-telegram-bot-api-secret-token": webhook_secret}
    bearer = {"authorization": f"Bearer {canaries.codec_token}"}
    async with httpx.AsyncClient(base_url=web_url, timeout=30, trust_env=False) as http:
        await http.post(f"/kie/o-v1-a1/{canaries.kie_webhook_secret}", json={"data": {"taskId": "t"}})
        await http.post(f"/telegram/webhook/{canaries.bot_token}", headers=webhook, content=b"{")
        for body in (
            b"",
            b"nonsense",
            b'{"payloads":[{"metadata":{"encoding":"YmluYXJ5L2VuY3J5cHRlZA=="}}]}',
        ):
            await http.post("/codec/decode", headers=bearer, content=body)
        await http.post("/codec", content=f"token={canaries.codec_token}".encode())
        await http.get(f"/codec?token={canaries.codec_token}")
        for _ in range(12):
            await http.post("/codec/decode", headers={"authorization": f"Bearer {canaries.codec_token}x"})
        await http.request("BREW", f"/{canaries.codec_token}", headers=bearer)


async def wrong_starts(canaries: Canaries) -> dict[str, bytes]:
    """What the programs say to whoever starts them with wrong or useless secrets."""
    wrong = canaries.more["a wrong setting"] = canary("Wrong")
    nowhere = f"postgresql://user:{wrong}@127.0.0.1:9/x"
    bot = {"BOT_TOKEN": canaries.bot_token, "DATABASE_URL": nowhere}
    starts: list[tuple[str, dict[str, str]]] = [
        ("bot_main.py", {"BOT_TOKEN": f"{wrong} without a number"}),
        ("bot_main.py", {**bot, "TEMPORAL_PAYLOAD_KEY": wrong}),
        ("bot_main.py", {**bot, "TEMPORAL_PAYLOAD_KEY": f"k1:{wrong}"}),
        ("bot_main.py", {**bot, "CODEC_TOKEN": wrong[:20]}),
        ("bot_main.py", {**bot, "TELEGRAM_WEBHOOK_SECRET": f"{wrong} {wrong}"}),
        ("bot_main.py", {**bot, "DATABASE_URL": f"postgresql://user:{wrong}@localhost:port/x"}),
        ("worker_main.py", {**bot, "KIE_API_KEY": f"{wrong} {wrong}"}),
        ("worker_main.py", {**bot, "OPENAI_API_KEY": f"{wrong} {wrong}", "KIE_API_KEY": "k"}),
    ]
    grant = ("grant", "--yes", "1", "1", "x")
    ends = [await ended(program, settings=settings) for program, settings in starts]
    ends.append(await ended("admin_main.py", *grant, settings={"DATABASE_URL": nowhere}))
    assert {each.code for each in ends} <= {1, 2}
    return {f"wrong start {number}": (each.out + each.err).encode() for number, each in enumerate(ends)}
