"""The Telegram stand-in as the library of a real bot sees it: every answer fits aiogram's types."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiogram import Bot, Dispatcher, F
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
    ChatMemberLeft,
    ChatMemberMember,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    InputMediaVideo,
    LabeledPrice,
    Message,
    MessageOriginUser,
    PreCheckoutQuery,
    ReplyParameters,
    TransactionPartnerUser,
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
    session = AiohttpSession(api=TelegramAPIServer.from_base(standin.url), timeout=30)
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
        assert await asyncio.wait_for(seen.get(), 30) == "gen:1"
        await standin.http.post("/control/updates/repeat", json={"update_id": pressed["update_id"]})
        assert await asyncio.wait_for(seen.get(), 30) == "gen:1"
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


async def test_a_dispatcher_sells_and_refunds(standin: Standin) -> None:
    vera = await standin.person()
    dispatcher = Dispatcher()
    paid: asyncio.Queue[Message] = asyncio.Queue()

    @dispatcher.pre_checkout_query()
    async def on_question(query: PreCheckoutQuery) -> None:
        is_known = query.invoice_payload == "signed:10" and query.total_amount == 250
        await query.answer(ok=is_known, error_message=None if is_known else "This is not our price")

    @dispatcher.message(F.successful_payment | F.refunded_payment)
    async def on_payment(message: Message) -> None:
        await paid.put(message)

    async with bot_of(standin) as bot:
        polling = asyncio.create_task(
            dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False, polling_timeout=1)
        )
        prices = [LabeledPrice(label="10 videos", amount=250)]
        sent = await bot.send_invoice(vera.id, "10 videos", "Ten credits", "signed:10", "XTR", prices)
        assert sent.invoice
        assert (sent.invoice.total_amount, sent.invoice.start_parameter) == (250, "")
        forged = await vera.does("pay", amount=1)
        assert (forged["paid"], forged["error_message"]) == (False, "This is not our price")
        assert (await vera.does("pay"))["paid"]
        payment = (await asyncio.wait_for(paid.get(), 30)).successful_payment
        assert payment
        await bot.refund_star_payment(vera.id, payment.telegram_payment_charge_id)
        refund = (await asyncio.wait_for(paid.get(), 30)).refunded_payment
        assert refund
        assert refund.telegram_payment_charge_id == payment.telegram_payment_charge_id
        incoming, outgoing = (await bot.get_star_transactions()).transactions
        assert isinstance(incoming.source, TransactionPartnerUser)
        assert incoming.source.invoice_payload == "signed:10"
        assert isinstance(outgoing.receiver, TransactionPartnerUser)
        assert (await bot.get_my_star_balance()).amount == 0
        assert (await bot.create_invoice_link("t", "d", "p", "XTR", prices)).startswith("https://t.me/$")
        with pytest.raises(TelegramBadRequest, match="CHARGE_ALREADY_REFUNDED"):
            await bot.refund_star_payment(vera.id, payment.telegram_payment_charge_id)
        await dispatcher.stop_polling()
        await polling


async def test_edits_forwards_and_groups_are_what_aiogram_takes_them_for(standin: Standin) -> None:
    vera = await standin.person()
    async with bot_of(standin) as bot:
        card = await placed(bot, vera)
        (own,) = (await vera.does("text", text="a"))["message_ids"]
        await vera.does("edit", message_id=own, text="b")
        await vera.does("forward", message_id=card.message_id)
        await vera.does("gif")
        await vera.does("sticker")
        group = "/control/groups/-100200300"
        await standin.http.post(f"{group}/add", json={"user_id": vera.id, "title": "Sellers"})
        updates = (await bot.get_updates())[2:]
        edited, forwarded, gif, sticker, added, joined = updates
        assert edited.edited_message
        assert edited.edited_message.text == "b"
        assert forwarded.message
        assert isinstance(forwarded.message.forward_origin, MessageOriginUser)
        assert forwarded.message.forward_origin.sender_user.id == bot.id
        assert forwarded.message.reply_markup is None
        assert gif.message
        assert gif.message.content_type == "animation"
        assert gif.message.document
        assert sticker.message
        assert sticker.message.sticker
        assert added.my_chat_member
        assert isinstance(added.my_chat_member.new_chat_member, ChatMemberMember)
        assert joined.message
        assert joined.message.chat.type == "supergroup"
        assert joined.message.new_chat_members
        assert await bot.leave_chat(joined.message.chat.id)
        with pytest.raises(TelegramForbiddenError, match="bot is not a member"):
            await bot.send_message(joined.message.chat.id, "x")
        (left,) = (await bot.get_updates(offset=joined.update_id + 1))[:1]
        assert left.my_chat_member
        assert isinstance(left.my_chat_member.new_chat_member, ChatMemberLeft)
