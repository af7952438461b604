"""What the tests about money share."""

import asyncio
from typing import Any

import httpx
from pydantic import SecretStr

from clients.invoices import InvoiceSigner
from domain.payments import Invoice, Package
from store.database import Database
from tests.bot.chat import ADMIN_ID, TOKEN, Person, button_data

SMALL, LARGE = Package("5c150s", 5, 150), Package("20c500s", 20, 500)
_SETTLED_SECONDS_MAX = 60.0


def signed(tg_user_id: int, package: Package = LARGE, draft_id: str = "", token: SecretStr = TOKEN) -> str:
    return InvoiceSigner(token).sign(Invoice(tg_user_id, package, draft_id))


async def fault(http: httpx.AsyncClient, where: str, **how: Any) -> None:
    (await http.post("/control/faults", json={"where": where, **how})).raise_for_status()


def refusal(code: int, description: str) -> dict[str, Any]:
    return {"status": code, "body": {"ok": False, "error_code": code, "description": description}}


async def invoice(person: Person, label: str = "20 credits") -> dict[str, Any]:
    """From the menu to the invoice."""
    await person.text("/balance")
    await person.press("Top up")
    (shown,) = await person.press(label)
    assert shown["kind"] == "invoice"
    return shown


async def bought(person: Person, label: str = "20 credits") -> str:
    """The charge id of a payment that is booked; its answers are still to be read."""
    await invoice(person, label)
    paid = await person.do("pay")
    assert paid["paid"], paid
    await person.settled()
    return str(paid["charge_id"])


async def credits_of(person: Person, database: Database) -> int:
    query = "select available from wallets join users on users.id = user_id where tg_user_id = $1"
    async with database.connection() as connection:
        return int(await connection.fetchval(query, person.id) or 0)


async def purchases(database: Database) -> list[tuple[str, int]]:
    query = "select kind, available_delta from credit_entries where kind like 'purchase%' order by id"
    async with database.connection() as connection:
        return [(row["kind"], row["available_delta"]) for row in await connection.fetch(query)]


async def payment_states(database: Database) -> list[tuple[str, int, int]]:
    """State, credits, debt."""
    query = "select state, credits, debt_credits from payments order by paid_at"
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(query)]


async def until_state(database: Database, state: str) -> None:
    async with asyncio.timeout(_SETTLED_SECONDS_MAX):
        while [each[0] for each in await payment_states(database)] != [state]:  # noqa: ASYNC110 - a row's state
            await asyncio.sleep(0.05)


async def refunded_stars(http: httpx.AsyncClient) -> list[bool]:
    return [each["refunded"] for each in (await http.get("/control/stars")).json()["transactions"]]


async def admin(http: httpx.AsyncClient) -> Person:
    """Somebody who can be told: a bot cannot write first."""
    person = await Person.join(http, ADMIN_ID)
    await person.text("/start")
    return person


async def short_of_credits(person: Person, wanted: str = "5") -> tuple[dict[str, Any], str]:
    """The card that says so, and the draft that waits."""
    await person.to_step("count")
    (card,) = await person.press(wanted)
    (short,) = await person.press("Generate")
    return short, button_data(card, "Generate").split(":")[1]


async def paid_update(person: Person, **changes: object) -> None:
    """`successful_payment` as Telegram sends it, without the question before."""
    payment = {
        "currency": "XTR",
        "total_amount": 500,
        "invoice_payload": signed(person.id),
        "telegram_payment_charge_id": "stx-forged",
        "provider_payment_charge_id": "p",
        **changes,
    }
    sender = {"id": person.id, "is_bot": False, "first_name": "Ann", "language_code": "en"}
    message = {
        "message_id": 900_001,
        "date": 1_795_000_000,
        "chat": {"id": person.id, "type": "private"},
        "from": sender,
        "successful_payment": payment,
    }
    answer = await person.http.post("/control/updates", json={"update": {"message": message}})
    answer.raise_for_status()
    await person.settled()
