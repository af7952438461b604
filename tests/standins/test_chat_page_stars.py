"""Stars on the chat page: a card, a sheet that asks, a receipt."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.fixtures.browser import needs_chromium
from tests.standins.chat_parts import chat_page, started
from tests.standins.telegram_parts import HttpBot, Standin, telegram

pytestmark = needs_chromium

INVOICE = {
    "title": "10 videos",
    "description": "Ten credits",
    "payload": "signed:10",
    "currency": "XTR",
    "prices": [{"label": "10 videos", "amount": 250}],
}


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[Standin]:
    async with telegram(tmp_path) as running_standin:
        yield running_standin


@pytest.fixture
async def page(standin: Standin, browser: Browser) -> AsyncIterator[Page]:
    async with chat_page(standin, browser) as opened:
        yield opened


async def asked_to_pay(page: Page, bot: HttpBot, user_id: int, start_parameter: str = "topup") -> Locator:
    """The payment sheet of a fresh invoice."""
    await bot.call("sendInvoice", chat_id=user_id, **INVOICE, start_parameter=start_parameter)
    await page.get_by_role("button", name="Pay ⭐️250").click()
    sheet = page.get_by_role("dialog", name="Confirm the payment")
    await expect(sheet).to_contain_text("Buy 10 videos from Neurocards for 250 Stars?")
    return sheet


async def answer(bot: HttpBot, **verdict: object) -> None:
    (asked,) = await bot.awaited()
    await bot.call(
        "answerPreCheckoutQuery", pre_checkout_query_id=asked["pre_checkout_query"]["id"], **verdict
    )


async def test_stars_are_paid(page: Page, standin: Standin) -> None:
    bot = standin.bot
    user_id = await started(page, bot)
    await expect(page.get_by_role("status", name="Balance: 10,000 Stars")).to_have_text("10,000")
    sheet = await asked_to_pay(page, bot, user_id)
    await expect(sheet).to_contain_text("You have 10,000 Stars")
    card = page.locator(".message[data-kind=invoice]")
    await expect(card).to_contain_text("Ten credits")
    await expect(card).to_contain_text("250 Stars")
    await sheet.get_by_role("button", name="Pay 250 Stars").click()
    await expect(sheet.get_by_role("button", name="Decline")).to_be_disabled()
    await answer(bot, ok=True)
    await expect(sheet).to_be_hidden()
    (update,) = await bot.awaited()
    payment = update["message"]["successful_payment"]
    await expect(page.locator("#stars")).to_have_text("9,750")
    await expect(page.get_by_role("button", name="You paid 250 to Neurocards")).to_be_visible()
    await card.get_by_role("button", name="Receipt").click()
    receipt = page.locator("#alert")
    await expect(receipt).to_contain_text(payment["telegram_payment_charge_id"])
    await receipt.get_by_role("button", name="OK").click()
    ids = {"user_id": user_id, "telegram_payment_charge_id": payment["telegram_payment_charge_id"]}
    await bot.call("refundStarPayment", **ids)
    await expect(page.get_by_role("button", name="You got 250 back from Neurocards")).to_be_visible()
    await expect(page.locator("#stars")).to_have_text("10,000")


async def test_a_payment_is_declined_by_either_side(page: Page, standin: Standin) -> None:
    bot = standin.bot
    user_id = await started(page, bot)
    sheet = await asked_to_pay(page, bot, user_id)
    await sheet.get_by_role("button", name="Decline").click()
    await expect(sheet).to_be_hidden()
    assert await bot.updates() == []
    await page.get_by_role("button", name="Pay ⭐️250").click()
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await page.get_by_role("button", name="Pay ⭐️250").click()
    await sheet.get_by_role("button", name="Pay 250 Stars").click()
    await answer(bot, ok=False, error_message="This price is over.")
    await expect(sheet.get_by_role("alert")).to_have_text("This price is over.")
    await sheet.get_by_role("button", name="Decline").click()
    await expect(page.locator("#stars")).to_have_text("10,000")
    await expect(page.get_by_role("button", name="Receipt")).to_have_count(0)
    assert await bot.updates() == []


async def test_one_payment_is_told_twice(page: Page, standin: Standin) -> None:
    bot = standin.bot
    user_id = await started(page, bot)
    sheet = await asked_to_pay(page, bot, user_id)
    await sheet.get_by_role("button", name="Pay twice").click()
    await answer(bot, ok=True)
    await expect(sheet).to_be_hidden()
    first, second = await bot.awaited(2)
    assert first["message"] == second["message"]
    assert first["update_id"] != second["update_id"]
    await expect(page.locator("#stars")).to_have_text("9,750")
    await expect(page.locator(".message.is-service")).to_have_count(1)


async def test_nobody_pays_more_than_he_has(page: Page, standin: Standin) -> None:
    bot = standin.bot
    user_id = await started(page, bot)
    await standin.http.post(f"/control/users/{user_id}/stars", json={"stars": 200})
    await expect(page.locator("#stars")).to_have_text("200")
    sheet = await asked_to_pay(page, bot, user_id)
    await expect(sheet.get_by_role("alert")).to_have_text("50 Stars are missing.")
    for name in ("Pay 250 Stars", "Pay twice"):
        await expect(sheet.get_by_role("button", name=name)).to_be_disabled()


async def test_a_forwarded_invoice_leads_to_the_bot_or_is_payable(page: Page, standin: Standin) -> None:
    bot = standin.bot
    user_id = await started(page, bot)
    sheet = await asked_to_pay(page, bot, user_id)
    await sheet.get_by_role("button", name="Decline").click()
    boris = await standin.person("Boris")
    await bot.updates()
    invoice = page.locator(".message[data-kind=invoice]")
    await invoice.get_by_role("button", name="Message actions").click()
    await expect(page.get_by_role("button", name="Edit", exact=True)).to_be_hidden()
    await page.get_by_role("button", name="Forward", exact=True).click()
    people = page.get_by_role("dialog", name="Forward to")
    await people.get_by_role("button", name="Boris").click()
    await expect(page.locator("#toast")).to_have_text("Forwarded to Boris")
    (update,) = await bot.awaited()
    assert update["message"]["chat"]["id"] == boris.id
    await page.locator(".person", has_text="Boris").click()
    await expect(invoice).to_contain_text("Forwarded from Neurocards")
    await invoice.get_by_role("button", name="Pay ⭐️250").click()
    (opened,) = await bot.awaited()
    assert opened["message"]["text"] == "/start topup"
    await expect(sheet).to_be_hidden()


async def test_the_sheet_fits_a_phone(standin: Standin, browser: Browser) -> None:
    vera = await standin.person()
    bot = standin.bot
    await bot.updates()
    page = await browser.new_page(viewport={"width": 360, "height": 640})
    await page.goto(f"{standin.url}/#{vera.id}")
    sheet = await asked_to_pay(page, bot, vera.id)
    for name in ("Pay 250 Stars", "Decline", "Pay twice"):
        await expect(sheet.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await page.close()
