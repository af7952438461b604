"""The chat page as its tests open it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, expect

from tests.standins.telegram_parts import HttpBot, Standin


@asynccontextmanager
async def chat_page(standin: Standin, browser: Browser) -> AsyncIterator[Page]:
    """A page on which nothing may go wrong unseen."""
    opened = await browser.new_page(viewport={"width": 1100, "height": 800})
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    await opened.goto(standin.url)
    yield opened
    await opened.close()
    assert errors == []


async def started(page: Page, bot: HttpBot, name: str = "Anna", language: str = "en") -> int:
    """Add a person and press Start; the id the bot sees."""
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Language of their Telegram").select_option(language)
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("button", name="Start", exact=True).click()
    (update,) = await bot.awaited()
    assert update["message"]["text"] == "/start"
    await expect(page.locator("#composer")).to_be_visible()
    return int(update["message"]["chat"]["id"])
