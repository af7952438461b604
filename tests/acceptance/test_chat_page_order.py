"""One order as a person places it, by clicking; and as an engineer finds it in Temporal's Web UI."""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Locator, Page, expect

from local.stack import Stack
from tests.acceptance.product_picture import product_picture
from tests.fixtures.browser import needs_chromium, play
from tests.stories.player import plan_for, throw_away_folder

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

DOCS: Final = Path(__file__).parents[2] / "docs"
PICTURE_BYTES_MAX: Final = 400_000
VIDEO_MILLISECONDS_MAX: Final = 150_000
CONTROLS_MILLISECONDS: Final = 600


@pytest_asyncio.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    with throw_away_folder() as folder:
        async with Stack(replace(plan_for(folder), web_ui=True)) as running_stack:
            yield running_stack


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    opened = await browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
    yield opened
    await opened.close()


def picture_path(name: str, tmp_path: Path) -> Path:
    """`make pictures` renews those of the documentation."""
    return (DOCS if os.environ.get("UPDATE_PICTURES") == "1" else tmp_path) / name


def chat(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


async def press(page: Page, label: str) -> None:
    """The newest button of that name in the chat."""
    await chat(page).get_by_role("button", name=re.compile(rf"^\W*{label}$")).last.click()


async def answer(page: Page, text: str) -> None:
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


async def join(page: Page, name: str, language: str) -> None:
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Language of their Telegram").select_option(language)
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("button", name="Start", exact=True).click()
    menu = {"en": "My balance", "ru": "Мой баланс"}[language]
    await expect(chat(page).get_by_role("button", name=menu)).to_be_visible()


async def send_photo(page: Page) -> None:
    photo = FilePayload(name="alma.jpg", mimeType="image/jpeg", buffer=product_picture())
    await page.locator("#photo-input").set_input_files(files=[photo])
    await page.get_by_role("button", name="Send", exact=True).click()


async def take_picture(page: Page, name: str, tmp_path: Path) -> None:
    picture = picture_path(name, tmp_path)
    await page.screenshot(path=picture, animations="disabled")
    assert picture.stat().st_size < PICTURE_BYTES_MAX


async def test_a_photo_becomes_a_video_that_plays(page: Page, stack: Stack, tmp_path: Path) -> None:
    await page.goto(stack.chat_url)
    await join(page, "Иван", "ru")
    await join(page, "Maria", "en")
    await send_photo(page)
    await press(page, "UGC")
    await expect(chat(page).get_by_text("What is the product")).to_be_visible()
    await answer(page, "Alma: a light apricot oil for the face. Smells of summer.")
    await expect(chat(page).get_by_text("Any wishes")).to_be_visible()
    await press(page, "Skip")
    await press(page, "1")
    await press(page, "Generate")
    await expect(chat(page).locator("video")).to_be_visible(timeout=VIDEO_MILLISECONDS_MAX)
    await expect(chat(page).get_by_text("Your video is ready")).to_be_visible()
    video = chat(page).locator("video")
    await play(video, 0.8)
    await video.evaluate("video => video.pause()")
    await video.hover()  # its controls show that it is one
    await page.wait_for_timeout(CONTROLS_MILLISECONDS)
    await take_picture(page, "chat-page.png", tmp_path)


async def test_an_order_too_large_is_topped_up_and_made(page: Page, stack: Stack, tmp_path: Path) -> None:
    """Order → not enough → Stars → the same card → five videos, by clicking."""
    await page.goto(stack.chat_url)
    await join(page, "Olga", "en")
    await send_photo(page)
    await press(page, "Own prompt")
    await expect(chat(page).get_by_text("who, where, what the camera does")).to_be_visible()
    await answer(page, "The bottle turns slowly in the morning light.")
    await press(page, "5")
    await expect(chat(page).get_by_text("By pressing Generate you accept")).to_be_visible()
    await take_picture(page, "confirm-card.png", tmp_path)
    await press(page, "Generate")
    await press(page, "Top up")
    await chat(page).get_by_role("button", name=re.compile("^5 credits")).last.click()
    await chat(page).get_by_role("button", name=re.compile("^Pay .*150")).last.click()
    sheet = page.get_by_role("dialog", name="Confirm the payment")
    await expect(sheet).to_be_visible()
    await take_picture(page, "payment.png", tmp_path)
    await sheet.get_by_role("button", name="Pay 150 Stars").click()
    await expect(chat(page).get_by_text("Added: 5 credits")).to_be_visible()
    await expect(chat(page).get_by_text("Balance: 8 credits").last).to_be_visible()
    await take_picture(page, "topped-up.png", tmp_path)
    await press(page, "Generate")
    await expect(chat(page).locator("video")).to_have_count(5, timeout=VIDEO_MILLISECONDS_MAX)
    await expect(chat(page).get_by_text("5 of 5 ready")).to_be_visible()
    await take_picture(page, "five-videos.png", tmp_path)


async def test_an_engineer_finds_that_order_and_its_video(page: Page, stack: Stack, tmp_path: Path) -> None:
    """The first one that was bought above: the list begins with the newest."""
    workflows = f"{stack.temporal.ui_url}/namespaces/default/workflows"
    await page.goto(f"{workflows}?query=WorkflowType%3D%22VideoOrder%22")
    await page.get_by_role("link", name=re.compile("^order-[0-9a-f]+$")).last.click()
    await expect(page.get_by_text("write_scripts").first).to_be_visible()
    await page.set_viewport_size({"width": 1400, "height": 1100})
    await expect(page.get_by_text("video 1 of 1").first).to_be_visible()
    await take_picture(page, "web-ui-order.png", tmp_path)
    await page.goto(f"{workflows}?query=WorkflowType%3D%22Video%22")
    await page.get_by_role("link", name=re.compile("^order-[0-9a-f]+-v1$")).last.click()
    await expect(page.get_by_text("create_kie_task").first).to_be_visible()
