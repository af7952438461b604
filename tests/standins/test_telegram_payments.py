"""Telegram Stars: an invoice, the question before the payment, the payment, and the money back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.standins.shop_parts import TERMS, Shop
from tests.standins.telegram_parts import Json, telegram

TOO_OLD = "400 Bad Request: query is too old and response timeout expired or query ID is invalid"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with telegram(tmp_path) as standin:
        vera = await standin.person("Vera", "ru")
        bot = standin.bot
        await bot.updates()
        yield Shop(standin, bot, vera)


async def test_an_invoice_is_shown_without_its_payload(shop: Shop) -> None:
    message = await shop.invoice()
    assert message["invoice"] == {
        "title": "10 videos",
        "description": "Ten credits",
        "start_parameter": "topup",
        "currency": "XTR",
        "total_amount": 250,
    }
    assert message["reply_markup"] == {"inline_keyboard": [[{"text": "Pay ⭐️250", "pay": True}]]}
    shown = await shop.vera.last_message()
    assert (shown["kind"], shown["invoice"]["total_amount"], shown["charge_id"]) == ("invoice", 250, "")
    assert "signed" not in str(shown)


async def test_a_payment_from_the_question_to_the_books(shop: Shop) -> None:
    message = await shop.invoice()
    paid, query = await shop.answered({"ok": True})
    assert query == {
        "id": query["id"],
        "from": {"id": shop.vera.id, "is_bot": False, "first_name": "Vera", "language_code": "ru"},
        "currency": "XTR",
        "total_amount": 250,
        "invoice_payload": "signed:10",
    }
    (update,) = await shop.bot.updates()
    payment = update["message"]["successful_payment"]
    assert payment.pop("provider_payment_charge_id")
    assert payment == {
        "currency": "XTR",
        "total_amount": 250,
        "invoice_payload": "signed:10",
        "telegram_payment_charge_id": paid["charge_id"],
    }
    assert update["message"]["from"]["id"] == update["message"]["chat"]["id"] == shop.vera.id
    assert await shop.stars() == 9_750
    assert await shop.bot.call("getMyStarBalance") == {"amount": 250}
    stamped = next(each for each in (await shop.vera.messages())["messages"] if each["kind"] == "invoice")
    assert (stamped["message_id"], stamped["charge_id"]) == (message["message_id"], paid["charge_id"])


async def test_a_refusal_moves_nothing(shop: Shop) -> None:
    await shop.invoice()
    answer, _ = await shop.answered({"ok": False, "error_message": "The price has changed"})
    assert answer == {
        "paid": False,
        "charge_id": "",
        "error_message": "The price has changed",
        "update_ids": [],
    }
    assert await shop.stars() == 10_000
    assert await shop.bot.updates() == []
    assert (await shop.books()) == {"transactions": [], "balance": 0}


async def test_a_refusal_needs_its_reason(shop: Shop) -> None:
    missing = await shop.bot.refused("answerPreCheckoutQuery", pre_checkout_query_id="1", ok=False)
    assert missing == '400 Bad Request: parameter "error_message" is required'


async def test_a_bot_that_answers_too_late_sells_nothing(shop: Shop) -> None:
    await shop.invoice()
    answer = await shop.vera.does("pay", wait_seconds=0.1)
    assert (answer["paid"], answer["error_message"]) == (False, "timeout")
    (asked,) = await shop.bot.updates()
    query_id = asked["pre_checkout_query"]["id"]
    late = await shop.bot.refused("answerPreCheckoutQuery", pre_checkout_query_id=query_id, ok=True)
    assert late == TOO_OLD
    assert await shop.stars() == 10_000


async def test_a_question_is_answered_once(shop: Shop) -> None:
    await shop.invoice()
    _, query = await shop.answered({"ok": True})
    again = await shop.bot.refused("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)
    assert again == TOO_OLD


async def test_the_wait_is_never_longer_than_telegrams(shop: Shop) -> None:
    await shop.invoice()
    before = asyncio.get_running_loop().time()
    answer = await shop.vera.does("pay", wait_seconds=60)
    assert answer["error_message"] == "timeout"
    assert asyncio.get_running_loop().time() - before < 40


async def test_a_bot_that_did_not_ask_for_the_question_never_gets_it(shop: Shop) -> None:
    await shop.bot.call("getUpdates", offset=shop.bot.offset, allowed_updates=["message"])
    await shop.invoice()
    assert (await shop.vera.does("pay", wait_seconds=0.1))["error_message"] == "timeout"
    assert await shop.bot.updates() == []


async def test_the_same_payment_comes_twice(shop: Shop) -> None:
    await shop.invoice()
    paid = await shop.bought(times=2)
    first, second = await shop.bot.updates()
    assert first["update_id"] != second["update_id"]
    assert first["message"] == second["message"]
    assert [first["update_id"], second["update_id"]] == paid["update_ids"]
    assert await shop.stars() == 9_750
    assert len((await shop.books())["transactions"]) == 1


async def test_a_paid_invoice_is_paid_again_only_on_purpose(shop: Shop) -> None:
    await shop.invoice()
    first = await shop.bought()
    await shop.bot.updates()
    refusal = await shop.standin.http.post(f"/control/users/{shop.vera.id}/pay", json={})
    assert refusal.status_code == 409
    assert refusal.json()["error"].startswith("this invoice is paid")
    second = await shop.bought(again=True)
    assert second["charge_id"] != first["charge_id"]
    assert await shop.stars() == 9_500


async def test_a_forger_changes_what_the_bot_is_asked(shop: Shop) -> None:
    await shop.invoice()
    _, query = await shop.answered({"ok": False, "error_message": "no"}, amount=1, payload="forged:99")
    assert (query["total_amount"], query["invoice_payload"]) == (1, "forged:99")
    _, query = await shop.answered({"ok": True}, amount=1, currency="USD")
    assert (query["currency"], query["invoice_payload"]) == ("USD", "signed:10")
    (update,) = await shop.bot.updates()
    assert update["message"]["successful_payment"]["total_amount"] == 1


async def test_somebody_else_presses_pay(shop: Shop) -> None:
    olga = await shop.standin.person("Olga", started=False)
    await shop.invoice()
    paid, query = await shop.answered({"ok": True}, payer_id=olga.id)
    assert query["from"]["id"] == olga.id
    (update,) = await shop.bot.updates()
    assert update["message"]["chat"]["id"] == olga.id
    assert (await shop.books())["transactions"][0]["user_id"] == olga.id
    assert await shop.stars() == 10_000
    assert paid["paid"]
    # Her own invoice stays open: nobody paid it here.
    assert (await shop.vera.last_message())["charge_id"] == ""


async def test_declining_reaches_nobody(shop: Shop) -> None:
    message = await shop.invoice()
    await shop.vera.does("decline", message_id=message["message_id"])
    assert await shop.bot.updates() == []
    unknown = await shop.standin.http.post(f"/control/users/{shop.vera.id}/decline", json={"message_id": 1})
    assert (unknown.status_code, unknown.json()["error"]) == (404, "there is no such invoice in this chat")


async def test_nobody_pays_with_stars_he_does_not_have(shop: Shop) -> None:
    await shop.invoice()
    await shop.vera.does("stars", stars=249)
    refusal = await shop.standin.http.post(f"/control/users/{shop.vera.id}/pay", json={})
    assert (refusal.status_code, refusal.json()["error"]) == (409, "not enough Stars: 249 of 250")
    assert await shop.bot.updates() == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"times": 0}, "times is 1 to 20"),
        ({"amount": -5}, "nobody pays less than nothing"),
        ({"wait_seconds": "soon"}, "wait_seconds is a number"),
    ],
)
async def test_orders_that_make_no_sense_are_told_so(shop: Shop, fields: Json, sentence: str) -> None:
    await shop.invoice()
    refusal = await shop.standin.http.post(f"/control/users/{shop.vera.id}/pay", json=fields)
    assert (refusal.status_code, refusal.json()["error"]) == (400, sentence)
    assert await shop.bot.updates() == []


async def test_the_newest_invoice_is_meant(shop: Shop) -> None:
    await shop.invoice(payload="old")
    await shop.invoice(payload="new")
    _, query = await shop.answered({"ok": True})
    assert query["invoice_payload"] == "new"


async def test_a_link_is_an_invoice_too(shop: Shop) -> None:
    link = await shop.bot.call("createInvoiceLink", **TERMS)
    assert link.startswith("https://t.me/$")
    for _ in range(2):
        await shop.bought(link=link)
        (update,) = await shop.bot.updates()
        assert update["message"]["successful_payment"]["invoice_payload"] == "signed:10"
    assert await shop.stars() == 9_500


# -- money back


async def test_a_refund_is_whole_and_told(shop: Shop) -> None:
    await shop.invoice()
    paid = await shop.bought()
    await shop.bot.updates()
    ids = {"user_id": shop.vera.id, "telegram_payment_charge_id": paid["charge_id"]}
    assert await shop.bot.call("refundStarPayment", **ids) is True
    (update,) = await shop.bot.updates()
    told = update["message"]["refunded_payment"]
    assert (told["telegram_payment_charge_id"], told["total_amount"]) == (paid["charge_id"], 250)
    assert (told["currency"], told["invoice_payload"]) == ("XTR", "signed:10")
    assert update["message"]["from"]["is_bot"]
    assert await shop.stars() == 10_000
    assert await shop.bot.call("getMyStarBalance") == {"amount": 0}
    again = await shop.bot.refused("refundStarPayment", **ids)
    assert again == "400 Bad Request: CHARGE_ALREADY_REFUNDED"


async def test_refunds_telegram_would_refuse(shop: Shop) -> None:
    await shop.invoice()
    paid = await shop.bought()
    olga = await shop.standin.person("Olga")
    ask = shop.bot.refused
    charge = {"telegram_payment_charge_id": paid["charge_id"]}
    assert await ask("refundStarPayment", **charge) == "400 Bad Request: invalid user_id specified"
    foreign = await ask("refundStarPayment", user_id=olga.id, **charge)
    assert foreign == "400 Bad Request: USER_ID_INVALID"
    unknown = await ask("refundStarPayment", user_id=shop.vera.id, telegram_payment_charge_id="stxnone")
    assert unknown == "400 Bad Request: CHARGE_ID_INVALID"
    missing = await ask("refundStarPayment", user_id=shop.vera.id)
    assert missing == '400 Bad Request: parameter "telegram_payment_charge_id" is required'
    assert await shop.stars() == 9_750


async def test_telegrams_support_refunds_too(shop: Shop) -> None:
    await shop.invoice()
    paid = await shop.bought()
    await shop.bot.updates()
    post = shop.standin.http.post
    assert (await post("/control/stars/refund", json={"charge_id": paid["charge_id"]})).is_success
    (update,) = await shop.bot.updates()
    assert update["message"]["refunded_payment"]["telegram_payment_charge_id"] == paid["charge_id"]
    assert (await post("/control/stars/refund", json={"charge_id": paid["charge_id"]})).status_code == 409
    assert (await post("/control/stars/refund", json={"charge_id": "stxnone"})).status_code == 404
    (charge,) = (await shop.books())["transactions"]
    assert charge == {
        "charge_id": paid["charge_id"],
        "user_id": shop.vera.id,
        "amount": 250,
        "payload": "signed:10",
        "refunded": True,
    }


async def test_transactions_are_read_page_by_page(shop: Shop) -> None:
    charges = []
    for number in range(3):
        await shop.invoice(payload=f"p{number}")
        charges.append((await shop.bought())["charge_id"])
        await shop.bot.updates()
    refund = {"user_id": shop.vera.id, "telegram_payment_charge_id": charges[0]}
    await shop.bot.call("refundStarPayment", **refund)
    everything = (await shop.bot.call("getStarTransactions"))["transactions"]
    assert {each["id"] for each in everything} == set(charges)
    assert len(everything) == 4
    incoming = [each for each in everything if "source" in each]
    assert [each["source"]["invoice_payload"] for each in incoming] == ["p0", "p1", "p2"]
    assert incoming[0]["source"]["transaction_type"] == "invoice_payment"
    (outgoing,) = [each for each in everything if "receiver" in each]
    assert (outgoing["id"], outgoing["amount"]) == (charges[0], 250)
    page = (await shop.bot.call("getStarTransactions", offset=1, limit=2))["transactions"]
    assert page == everything[1:3]


async def test_faults_find_the_payer_of_a_question(shop: Shop) -> None:
    await shop.invoice()
    await shop.standin.order_fault(
        where="answerPreCheckoutQuery",
        user=str(shop.vera.id),
        status=500,
        body={"ok": False, "error_code": 500, "description": "Internal Server Error"},
    )
    paying = asyncio.create_task(shop.vera.does("pay"))
    (asked,) = await shop.bot.awaited()
    answer = {"pre_checkout_query_id": asked["pre_checkout_query"]["id"], "ok": True}
    assert (await shop.bot.refused("answerPreCheckoutQuery", **answer)).startswith("500")
    await shop.bot.call("answerPreCheckoutQuery", **answer)
    assert (await paying)["paid"]


async def test_payments_survive_a_restart(tmp_path: Path) -> None:
    async with telegram(tmp_path) as before:
        vera = await before.person()
        shop = Shop(before, before.bot, vera)
        await shop.bot.updates()
        await shop.invoice()
        paid = await shop.bought()
    async with telegram(tmp_path) as after:
        books = (await after.http.get("/control/stars")).json()
        assert books["transactions"][0]["charge_id"] == paid["charge_id"]
        ids = {"user_id": vera.id, "telegram_payment_charge_id": paid["charge_id"]}
        assert await after.bot.call("refundStarPayment", **ids)
