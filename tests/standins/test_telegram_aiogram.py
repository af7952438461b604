"""The Telegram stand-in as the library of a real bot sees it: every answer fits aiogram's types."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    ChatMemberBanned,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
    ReplyParameters,
)

from tests.standins.telegram_parts import TOKEN, Person, Standin, film, picture, telegram

PHOTO = BufferedInputFile(picture(), "photo.jpg")
VIDEO = BufferedInputFile(film(), "video.mp4")
KEYS = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Generate", callback_data="gen:1")]])


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[Standin]:
    async with telegram(tmp_path) as running_standin:
        yield running_standin


@asynccontextmanager
async def bot_of(standin: Standin) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(standin.url), timeout=10)
    async with Bot(TOKEN, session=session) as bot:
        yield bot


async def placed(bot: Bot, person: Person) -> Message:
    return await bot.send_photo(person.id, PHOTO, caption="<b>card</b>", parse_mode="HTML", reply_markup=KEYS)


async def test_a_card_becomes_a_video_and_keeps_it(standin: Standin) -> None:
    vera = await standin.person()
    async with bot_of(standin) as bot:
        card = await placed(bot, vera)
        assert card.photo
        assert card.html_text == "<b>card</b>"
        media = InputMediaVideo(media=VIDEO, caption="ready")
        edited = await bot.edit_message_media(media, chat_id=vera.id, message_id=card.message_id)
        assert isinstance(edited, Message)
        assert edited.video
        looked = await bot.edit_message_reply_markup(
            chat_id=vera.id, message_id=card.message_id, reply_markup=KEYS
        )
        assert isinstance(looked, Message)
        assert looked.video
        assert looked.video.file_unique_id == edited.video.file_unique_id
        again = await bot.send_video(
            vera.id, edited.video.file_id, reply_parameters=ReplyParameters(message_id=card.message_id)
        )
        assert again.reply_to_message
        assert again.video
        assert again.video.thumbnail


async def test_a_photo_is_fetched_and_a_button_answered(standin: Standin, tmp_path: Path) -> None:
    vera = await standin.person()
    await vera.sends("photo", "p.jpg", picture(), caption="mine")
    async with bot_of(standin) as bot:
        updates = await bot.get_updates(timeout=1)
        message = updates[-1].message
        assert message
        assert message.photo
        target = tmp_path / "fetched.jpg"
        await bot.download(message.photo[-1], target)
        assert target.read_bytes().startswith(b"\xff\xd8")
        await placed(bot, vera)
        await vera.does("press", label="Generate")
        (pressed,) = await bot.get_updates(offset=updates[-1].update_id + 1)
        assert pressed.callback_query
        assert await bot.answer_callback_query(pressed.callback_query.id, "Accepted", show_alert=True)
    assert [(toast["text"], toast["show_alert"]) for toast in await vera.toasts()] == [("Accepted", True)]


async def test_the_other_methods_fit_the_types(standin: Standin) -> None:
    vera = await standin.person()
    async with bot_of(standin) as bot:
        card = await placed(bot, vera)
        copy = await bot.copy_message(vera.id, vera.id, card.message_id, disable_notification=True)
        await bot.edit_message_caption(chat_id=vera.id, message_id=copy.message_id, caption="video 2 of 5")
        await bot.forward_message(vera.id, vera.id, card.message_id)
        album = await bot.send_media_group(
            vera.id, [InputMediaPhoto(media=PHOTO), InputMediaVideo(media=VIDEO)]
        )
        mute = await bot.send_animation(vera.id, BufferedInputFile(film("none"), "mute.mp4"))
        file = await bot.send_document(vera.id, BufferedInputFile(b"{}", "data.json"))
        assert len(album) == 2
        assert mute.animation
        assert file.document
        assert await bot.delete_message(vera.id, file.message_id)
        assert await bot.send_chat_action(vera.id, "upload_video")
        assert await bot.set_my_commands([BotCommand(command="help", description="Help")], language_code="ru")
        assert await bot.get_my_commands(language_code="ru")
        assert await bot.set_my_description("What I do")
        assert await bot.set_chat_menu_button()
        assert (await bot.get_chat(vera.id)).type == "private"
        assert (await bot.get_webhook_info()).url == ""
        assert (await bot.me()).id == bot.id


async def test_refusals_become_the_exceptions_of_aiogram(standin: Standin) -> None:
    vera = await standin.person()
    async with bot_of(standin) as bot:
        card = await placed(bot, vera)
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await bot.edit_message_reply_markup(
                chat_id=vera.id, message_id=card.message_id, reply_markup=KEYS
            )
        with pytest.raises(TelegramBadRequest, match="query is too old"):
            await bot.answer_callback_query("1")
        with pytest.raises(TelegramNotFound):
            await bot.send_dice(vera.id)
        await standin.order_fault(
            where="sendMessage",
            status=429,
            body={"ok": False, "error_code": 429, "description": "slow", "parameters": {"retry_after": 3}},
        )
        with pytest.raises(TelegramRetryAfter) as flood:
            await bot.send_message(vera.id, "x")
        assert flood.value.retry_after == 3
        await standin.order_fault(where="sendMessage", kind="drop_request", user=str(vera.id))
        with pytest.raises(TelegramNetworkError):
            await bot.send_message(vera.id, "x")
        await bot.set_webhook("http://127.0.0.1:9/hook")
        with pytest.raises(TelegramConflictError):
            await bot.get_updates()
        await vera.does("block")
        with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
            await bot.send_message(vera.id, "x")


async def test_a_dispatcher_polls_it(standin: Standin) -> None:
    vera = await standin.person(started=False)
    dispatcher = Dispatcher()
    seen: asyncio.Queue[str | None] = asyncio.Queue()

    @dispatcher.message()
    async def on_message(message: Message) -> None:
        await message.answer("hello", reply_markup=KEYS)

    @dispatcher.callback_query()
    async def on_button(query: CallbackQuery) -> None:
        await query.answer("ok")
        await seen.put(query.data)

    async with bot_of(standin) as bot:
        polling = asyncio.create_task(
            dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False, polling_timeout=1)
        )
        since = (await vera.messages())["event"]
        await vera.does("text", text="/start")
        while len((await vera.messages(since_event=since, wait_seconds=5))["messages"]) < 2:
            since = (await vera.messages())["event"]
        pressed = await vera.does("press", label="Generate")
        assert await asyncio.wait_for(seen.get(), 5) == "gen:1"
        await standin.http.post("/control/updates/repeat", json={"update_id": pressed["update_id"]})
        assert await asyncio.wait_for(seen.get(), 5) == "gen:1"
        await dispatcher.stop_polling()
        await polling
    assert len(await vera.toasts()) == 2


async def test_blocking_arrives_as_a_change_of_membership(standin: Standin) -> None:
    vera = await standin.person()
    await vera.does("block")
    async with bot_of(standin) as bot:
        change = (await bot.get_updates())[-1].my_chat_member
    assert change
    assert isinstance(change.new_chat_member, ChatMemberBanned)
