"""Invoices Telegram would not send, or not as they are."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.standins.shop_parts import Shop
from tests.standins.telegram_parts import Json, keyboard, telegram


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with telegram(tmp_path) as standin:
        vera = await standin.person("Vera", "ru")
        bot = standin.bot
        await bot.updates()
        yield Shop(standin, bot, vera)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"title": "x" * 33}, "TITLE_INVALID"),
        ({"title": ""}, 'parameter "title" is required'),
        ({"description": "x" * 256}, "DESCRIPTION_INVALID"),
        ({"payload": "ы" * 65}, "INVOICE_PAYLOAD_INVALID"),
        ({"currency": "RUB"}, "PAYMENT_PROVIDER_INVALID"),
        ({"provider_token": "1234:TEST"}, "PAYMENT_PROVIDER_INVALID"),
        ({"prices": []}, "there must be at least one price"),
        ({"prices": [{"label": "a", "amount": 1}] * 2}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "a", "amount": 0}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"prices": [{"label": "a", "amount": 100_001}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        (
            {"prices": [{"label": "", "amount": 1}]},
            "can't parse labeled price: LabeledPrice label must be non-empty",
        ),
        (
            {"prices": [{"label": "a"}]},
            'can\'t parse labeled price: Field "amount" must be a valid Number',
        ),
        ({"max_tip_amount": 5}, "STARS_INVOICE_INVALID"),
        ({"start_parameter": "no spaces"}, "START_PARAM_INVALID"),
        ({"reply_markup": keyboard("Terms", "terms")}, "BUTTON_POS_INVALID"),
    ],
)
async def test_an_invoice_telegram_would_refuse(shop: Shop, changes: Json, refusal: str) -> None:
    assert await shop.refused(**changes) == f"400 Bad Request: {refusal}"


async def test_the_longest_invoice_telegram_takes(shop: Shop) -> None:
    longest = {"title": "x" * 32, "description": "x" * 255, "payload": "ы" * 64}
    message = await shop.invoice(**longest, provider_token="", start_parameter="a" * 64)
    assert message["invoice"]["title"] == "x" * 32


async def test_a_pay_button_comes_first_and_belongs_to_an_invoice(shop: Shop) -> None:
    pay = {"text": "Buy", "pay": True}
    terms = {"text": "Terms", "callback_data": "terms"}
    message = await shop.invoice(reply_markup={"inline_keyboard": [[pay], [terms]]})
    assert message["reply_markup"]["inline_keyboard"][0] == [pay]
    last = await shop.refused(reply_markup={"inline_keyboard": [[terms], [pay]]})
    assert last == "400 Bad Request: BUTTON_POS_INVALID"
    markup = {"inline_keyboard": [[pay]]}
    text = await shop.bot.refused("sendMessage", chat_id=shop.vera.id, text="x", reply_markup=markup)
    assert text == "400 Bad Request: BUTTON_TYPE_INVALID"


async def test_a_blocked_bot_sends_no_invoice(shop: Shop) -> None:
    await shop.invoice()
    await shop.vera.does("block")
    assert await shop.refused() == "403 Forbidden: bot was blocked by the user"
    refusal = await shop.standin.http.post(f"/control/users/{shop.vera.id}/pay", json={})
    assert refusal.status_code == 409


async def test_an_invoice_is_forwarded_but_never_copied(shop: Shop) -> None:
    olga = await shop.standin.person("Olga")
    for start_parameter, button in (
        ("topup", {"text": "Pay ⭐️250", "url": "https://t.me/neurocards_bot?start=topup"}),
        ("", {"text": "Pay ⭐️250", "pay": True}),
    ):
        message = await shop.invoice(start_parameter=start_parameter)
        source = {"from_chat_id": shop.vera.id, "message_id": message["message_id"]}
        copy = await shop.bot.call("forwardMessage", chat_id=olga.id, **source)
        assert copy["reply_markup"] == {"inline_keyboard": [[button]]}
    refusal = await shop.bot.refused("copyMessage", chat_id=olga.id, **source)
    assert refusal == "400 Bad Request: message can't be copied"
