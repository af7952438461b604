"""The chat page in a real browser: what a person does there reaches the bot, and the other way round."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from tests.fixtures.browser import needs_chromium, play
from tests.standins.chat_parts import chat_page, started
from tests.standins.telegram_parts import Standin, film, keyboard, picture, telegram

pytestmark = needs_chromium


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[Standin]:
    async with telegram(tmp_path) as running_standin:
        yield running_standin


@pytest.fixture
async def page(standin: Standin, browser: Browser) -> AsyncIterator[Page]:
    async with chat_page(standin, browser) as opened:
        yield opened


async def test_from_start_to_a_video_that_plays(page: Page, standin: Standin) -> None:
    bot = standin.bot
    user_id = await started(page, bot, "Анна", "ru")
    card = await bot.call(
        "sendPhoto",
        {"photo": ("p.jpg", picture())},
        chat_id=user_id,
        caption="<b>Ready</b> to make",
        parse_mode="HTML",
        reply_markup=keyboard("Generate", "gen:1"),
    )
    await expect(page.locator(".message img")).to_be_visible()
    await expect(page.locator(".text b")).to_have_text("Ready")
    await page.get_by_role("button", name="Generate").click()
    (pressed,) = await bot.awaited()
    assert pressed["callback_query"]["data"] == "gen:1"
    await expect(page.locator(".key.is-waiting")).to_have_count(1)
    await bot.call("answerCallbackQuery", callback_query_id=pressed["callback_query"]["id"], text="Accepted")
    await expect(page.locator("#toast")).to_have_text("Accepted")
    await expect(page.locator(".key.is-waiting")).to_have_count(0)
    media = {"type": "video", "media": "attach://film", "caption": "Your video"}
    place = {"chat_id": user_id, "message_id": card["message_id"]}
    await bot.call("editMessageMedia", {"film": ("v.mp4", film())}, media=media, **place)
    await expect(page.locator("video")).to_be_visible()
    await page.locator("video").evaluate("video => { video.loop = true; }")  # it is over in a second
    await play(page.locator("video"), 0.1)
    await bot.call("editMessageCaption", caption="Your video, again", **place)
    await expect(page.locator(".message[data-kind=video] .text")).to_have_text("Your video, again")
    assert await page.evaluate("!document.querySelector('video').paused")
    await expect(page.locator(".message")).to_have_count(2)


async def test_pictures_are_sent_as_photos_or_as_they_are(page: Page, standin: Standin) -> None:
    bot = standin.bot
    await started(page, bot)
    original = picture(kind="PNG")
    upload = FilePayload(name="bottle.png", mimeType="image/png", buffer=original)
    await page.locator("#photo-input").set_input_files(files=[upload])
    await page.get_by_label("Message", exact=True).fill("My bottle")
    await page.keyboard.press("Enter")
    (photo,) = await bot.awaited()
    assert photo["message"]["caption"] == "My bottle"
    await page.locator("#file-input").set_input_files(files=[upload])
    await page.get_by_role("button", name="Send", exact=True).click()
    (document,) = await bot.awaited()
    assert document["message"]["document"]["file_size"] == len(original)
    await expect(page.locator(".file b")).to_have_text("bottle.png")


async def test_dropped_pictures_make_an_album(page: Page, standin: Standin) -> None:
    bot = standin.bot
    await started(page, bot)
    await page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(400, 400);
            canvas.getContext('2d').fillRect(50, 50, 200, 200);
            const blob = await canvas.convertToBlob({type: 'image/png'});
            const dataTransfer = new DataTransfer();
            for (const name of ['a.png', 'b.png']) {
                dataTransfer.items.add(new File([blob], name, {type: blob.type}));
            }
            const options = {dataTransfer, bubbles: true, cancelable: true};
            document.getElementById('chat-body').dispatchEvent(new DragEvent('drop', options));
        }"""
    )
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".message[data-kind=photo]")).to_have_count(2)
    updates = await bot.updates()
    assert len(updates) == 2
    assert len({update["message"]["media_group_id"] for update in updates}) == 1


async def test_several_photos_picked_at_once_are_one_group(page: Page, standin: Standin) -> None:
    bot = standin.bot
    await started(page, bot)
    uploads = [
        FilePayload(name=f"{color}.png", mimeType="image/png", buffer=picture(color=color, kind="PNG"))
        for color in ("teal", "tomato", "navy")
    ]
    await page.locator("#photo-input").set_input_files(files=uploads)
    await page.get_by_role("button", name="Remove tomato.png").click()
    await page.get_by_label("Message", exact=True).fill("Two views")
    await page.keyboard.press("Enter")
    album = page.get_by_role("group", name="Album")
    await expect(album.get_by_role("button", name="Open the photo")).to_have_count(2)
    await expect(album.get_by_text("Two views")).to_be_visible()
    first, second = [update["message"] for update in await bot.awaited(2)]
    assert first["media_group_id"] == second["media_group_id"]
    assert (first["caption"], "caption" in second) == ("Two views", False)
    # A group of the bot's is one too, and what is deleted leaves it.
    media = [{"type": "photo", "media": first["photo"][-1]["file_id"]} for _ in range(2)]
    sent = await bot.call("sendMediaGroup", chat_id=first["chat"]["id"], media=media)
    await expect(album).to_have_count(2)
    for message in sent:
        await bot.call("deleteMessage", chat_id=first["chat"]["id"], message_id=message["message_id"])
    await expect(album).to_have_count(1)


async def test_nothing_a_stranger_writes_becomes_html(page: Page, standin: Standin) -> None:
    bot = standin.bot
    evil = '<img src=x onerror="document.title=1">'
    user_id = await started(page, bot, evil)
    await bot.call("sendMessage", chat_id=user_id, text=evil)
    await bot.call(
        "sendMessage", chat_id=user_id, text='<a href="javascript:alert(1)">go</a>', parse_mode="HTML"
    )
    await expect(page.locator(".message .text").nth(1)).to_have_text(evil)
    await expect(page.locator(".message .text").nth(2)).to_have_text("go")
    assert await page.locator(".message .text a").count() == 0
    assert await page.locator("img[src=x]").count() == 0


async def test_blocking_and_coming_back(page: Page, standin: Standin) -> None:
    bot = standin.bot
    await started(page, bot)
    await page.get_by_role("button", name="Chat menu").click()
    await page.get_by_role("button", name="Block the bot").click()
    (blocked,) = await bot.awaited()
    assert blocked["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    await expect(page.locator("#composer")).to_be_hidden()
    await page.get_by_role("button", name="Unblock the bot").click()
    (back,) = await bot.awaited()
    assert back["my_chat_member"]["new_chat_member"]["status"] == "member"
    await expect(page.locator("#composer")).to_be_visible()


async def test_unread_messages_and_commands(page: Page, standin: Standin) -> None:
    bot = standin.bot
    user_id = await started(page, bot)
    boris = await standin.person("Boris")
    await bot.call("setMyCommands", commands=[{"command": "balance", "description": "My balance"}])
    await bot.call("sendMessage", chat_id=boris.id, text="for Boris")
    await expect(page.locator(".person", has_text="Boris").locator(".badge")).to_have_text("1")
    await bot.updates()
    await page.get_by_role("button", name="Commands").click()
    await page.get_by_role("button", name="My balance").click()
    (update,) = await bot.awaited()
    assert (update["message"]["text"], update["message"]["chat"]["id"]) == ("/balance", user_id)
    await page.locator(".person", has_text="Boris").click()
    await expect(page.locator(".message .text").last).to_have_text("for Boris")
    await expect(page.locator(".badge")).to_have_count(0)


async def test_a_message_that_notifies_rings(page: Page, standin: Standin) -> None:
    bot = standin.bot
    user_id = await started(page, bot)
    await bot.call("sendMessage", chat_id=user_id, text="quiet", disable_notification=True)
    await bot.call("sendMessage", chat_id=user_id, text="loud")
    await expect(page.locator(".bubble.rings")).to_have_text(re.compile("^loud"))
    gone = await bot.call("sendMessage", chat_id=user_id, text="gone")
    await bot.call("deleteMessage", chat_id=user_id, message_id=gone["message_id"])
    await expect(page.locator(".message")).to_have_count(3)


async def test_it_fits_a_phone_and_finds_the_server_again(browser: Browser, tmp_path: Path) -> None:
    async with telegram(tmp_path) as standin:
        vera = await standin.person("Vera")
        page = await browser.new_page(viewport={"width": 380, "height": 760})
        await page.goto(f"{standin.url}/#{vera.id}")
        await expect(page.locator(".message")).to_have_count(1)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 380
        await page.get_by_role("button", name="Back to people").click()
        await expect(page.locator(".person")).to_be_visible()
    await expect(page.locator("#connection")).to_contain_text("trying again")
    await asyncio.wait_for(page.close(), 30)


# -- the person himself


async def test_a_text_is_edited_and_forwarded(page: Page, standin: Standin) -> None:
    bot = standin.bot
    user_id = await started(page, bot)
    text = page.get_by_label("Message", exact=True)
    await text.fill("a red bottle")
    await page.keyboard.press("Enter")
    mine = page.locator(".message", has_text="bottle")
    await mine.get_by_role("button", name="Message actions").click()
    await page.get_by_role("button", name="Edit", exact=True).click()
    await expect(text).to_have_value("a red bottle")
    await page.get_by_role("button", name="Stop editing").click()
    await expect(text).to_have_value("")
    await mine.get_by_role("button", name="Message actions").click()
    await page.get_by_role("button", name="Edit", exact=True).click()
    await text.fill("a green bottle")
    await page.keyboard.press("Enter")
    await expect(mine.locator(".text")).to_have_text("a green bottle")
    await expect(mine).to_contain_text("edited")
    sent, edited = await bot.updates()
    assert sent["message"]["text"] == "a red bottle"
    assert edited["edited_message"]["text"] == "a green bottle"
    await mine.get_by_role("button", name="Message actions").click()
    await page.get_by_role("button", name="Forward", exact=True).click()
    await page.get_by_role("dialog", name="Forward to").get_by_role("button", name="Anna").click()
    await expect(mine).to_have_count(2)
    (forwarded,) = await bot.awaited()
    assert forwarded["message"]["forward_origin"]["sender_user"]["id"] == user_id


async def test_the_language_of_the_telegram_is_switched(page: Page, standin: Standin) -> None:
    bot = standin.bot
    await started(page, bot)
    await page.get_by_role("button", name="Chat menu").click()
    await page.get_by_label("Telegram language").select_option("ru")
    await expect(page.locator(".person-name")).to_have_text("AnnaRU")
    await expect(page.locator("#chat-menu-person")).to_contain_text("Telegram in Russian")
    await page.get_by_label("Telegram language").select_option("")
    await expect(page.locator("#chat-menu-person")).to_contain_text("Telegram in no language")
    await page.keyboard.press("Escape")
    await page.get_by_label("Message", exact=True).fill("hi")
    await page.keyboard.press("Enter")
    (update,) = await bot.awaited()
    assert "language_code" not in update["message"]["from"]


async def test_what_bots_rarely_expect(page: Page, standin: Standin) -> None:
    bot = standin.bot
    await started(page, bot)
    for name, kind in (
        ("Voice", "voice"),
        ("GIF", "animation"),
        ("Sticker", "sticker"),
        ("Location", "location"),
        ("Contact", "contact"),
    ):
        await page.get_by_role("button", name="Attach").click()
        await page.get_by_role("button", name=name, exact=True).click()
        await expect(page.locator(f".message[data-kind={kind}]")).to_be_visible()
        (update,) = await bot.awaited()
        assert kind in update["message"]


async def test_the_page_needs_nothing_from_outside(page: Page, standin: Standin) -> None:
    policy = (await standin.http.get("/")).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await started(page, standin.bot)
    assert all(url.startswith((standin.url, "data:", "blob:")) for url in asked)
    assert not await page.evaluate("[...document.scripts].some((script) => !script.src)")
