"""My orders and my videos: waiting, cancelling, showing again, rating."""

from typing import Final

import structlog
from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from bot.filters import Pressed
from bot.middleware import OWN_ANSWER
from bot.open_orders import open_orders, orders_card
from bot.screens import stale
from bot.showing import show_again
from bot.turn import Turn
from clients.telegram import TelegramError
from domain.actions import Action, Card
from domain.ids import number_of_video, order_id_of_video
from domain.library import Cancellation
from texts import label, library_cards, order_cards
from workflows.start import TemporalUnavailable

_log = structlog.get_logger()

_PAGE_DIGITS_MAX: Final = 4


def router() -> Router:
    router = Router(name="library")
    router.message.register(orders_command, Command("orders"))
    router.message.register(videos_command, Command("videos"))
    router.callback_query.register(my_orders, Pressed(Action.MY_ORDERS))
    router.callback_query.register(my_videos, Pressed(Action.MY_VIDEOS))
    router.callback_query.register(show_video, Pressed(Action.SHOW_VIDEO))
    router.callback_query.register(show_video, Pressed(Action.SEND_HERE))
    own_answer = {OWN_ANSWER: True}
    router.callback_query.register(cancel_order, Pressed(Action.CANCEL_ORDER), flags=own_answer)
    router.callback_query.register(like, Pressed(Action.LIKE), flags=own_answer)
    router.callback_query.register(dislike, Pressed(Action.DISLIKE), flags=own_answer)
    return router


# -- my orders ------------------------------------------------------------------------------------


async def orders_command(_: Message, turn: Turn) -> None:
    await turn.say(orders_card(turn, await open_orders(turn)))


async def my_orders(query: CallbackQuery, turn: Turn, argument: str) -> None:
    card = orders_card(turn, await open_orders(turn))
    await _show(query, turn, card, in_place=argument == library_cards.REFRESH)


# -- cancelling -----------------------------------------------------------------------------------


async def cancel_order(query: CallbackQuery, turn: Turn, argument: str) -> None:
    """Asked once; the answer stands in the place of the question."""
    order_id, _, answer = argument.partition(".")
    if answer == library_cards.CONFIRMED:
        await _cancel(query, turn, order_id)
        return
    found = await turn.parts.orders.cancellable(order_id, turn.user.tg_user_id)
    if found is None or answer not in {"", library_cards.KEPT}:
        await turn.acknowledge(query.id)
        await stale(turn)
    elif not found.stopped_video_ids:
        await turn.acknowledge(query.id, library_cards.cancel_toast(turn.language, found))
        await _show(query, turn, library_cards.nothing_stopped(turn.language, found), in_place=bool(answer))
    elif answer:
        await turn.acknowledge(query.id)
        await _show(query, turn, library_cards.cancel_kept(turn.language), in_place=True)
    else:
        await turn.acknowledge(query.id)
        await turn.say(library_cards.ask_cancel(turn.language, found))


async def _cancel(query: CallbackQuery, turn: Turn, order_id: str) -> None:
    """Commit first, then tell, then wake the workflows: the rows decide, with or without Temporal."""
    done = await turn.parts.orders.cancel(order_id, turn.user.tg_user_id)
    if done is None:
        await turn.acknowledge(query.id)
        await stale(turn)
        return
    await turn.acknowledge(query.id, library_cards.cancel_toast(turn.language, done))
    wallet = await turn.parts.ledger.balance(turn.user.tg_user_id)
    await _show(query, turn, library_cards.cancelled(turn.language, done, wallet.available), in_place=True)
    if done.stopped_video_ids and not done.repeated:
        turn.parts.background.run(_follow_up(turn, done))


async def _follow_up(turn: Turn, done: Cancellation) -> None:
    try:
        await turn.parts.starter.videos_cancelled(done.order_id, done.stopped_video_ids)
    except TemporalUnavailable:
        _log.warning("workflows were not told of a cancel", order_id=done.order_id)
    await _show_cancelled(turn, done)


async def _show_cancelled(turn: Turn, done: Cancellation) -> None:
    """In the placeholders of what was stopped; as with every stage, dropped where it cannot be shown."""
    numbers = [number_of_video(video_id) for video_id in done.stopped_video_ids]
    count = (await turn.parts.videos.read(done.stopped_video_ids[0])).video_count
    shown = await turn.parts.library.placeholders(done.order_id, numbers)
    for number, message_id in shown.items():
        card = order_cards.placeholder(turn.language, number, count, "cancelled", done.order_id)
        try:
            await turn.parts.telegram.edit_caption(turn.chat_id, message_id, card)
        except TelegramError as error:
            _log.info("placeholder was not edited", order_id=done.order_id, error=type(error).__name__)


# -- my videos ------------------------------------------------------------------------------------


async def videos_command(_: Message, turn: Turn) -> None:
    shelf = await turn.parts.library.shelf(turn.user.tg_user_id, 0)
    await turn.say(library_cards.my_videos(turn.language, shelf))


async def my_videos(query: CallbackQuery, turn: Turn, argument: str) -> None:
    """From the menu a new message; its arrows turn the page in place."""
    if argument and not _is_page(argument):
        await stale(turn)
        return
    shelf = await turn.parts.library.shelf(turn.user.tg_user_id, int(argument or 0))
    card = library_cards.my_videos(turn.language, shelf)
    await _show(query, turn, card, in_place=bool(argument))


def _is_page(argument: str) -> bool:
    return argument.isascii() and argument.isdigit() and len(argument) <= _PAGE_DIGITS_MAX


async def show_video(_: CallbackQuery, turn: Turn, argument: str) -> None:
    """By Telegram's own file; where there is none, a workflow sends the kept one."""
    source = await turn.parts.orders.source(order_id_of_video(argument), turn.user.tg_user_id)
    if source is None:
        await stale(turn)
        return
    await show_again(turn, argument)


# -- rating ---------------------------------------------------------------------------------------


async def like(query: CallbackQuery, turn: Turn, argument: str) -> None:
    await _rate(query, turn, argument, order_cards.LIKED)


async def dislike(query: CallbackQuery, turn: Turn, argument: str) -> None:
    await _rate(query, turn, argument, order_cards.DISLIKED)


async def _rate(query: CallbackQuery, turn: Turn, video_id: str, rating: int) -> None:
    if not await turn.parts.library.rate(video_id, turn.user.tg_user_id, rating):
        await turn.acknowledge(query.id)
        await stale(turn)
        return
    await turn.acknowledge(query.id, label(turn.language, "toast-rated"))
    if query.message is None:
        return
    rows = order_cards.delivered_rows(turn.language, video_id, rating)
    try:
        await turn.parts.telegram.edit_buttons(turn.chat_id, query.message.message_id, rows)
    except TelegramError as error:
        _log.info("rating was not marked", video_id=video_id, error=type(error).__name__)


# -- pieces ---------------------------------------------------------------------------------------


async def _show(query: CallbackQuery, turn: Turn, card: Card, *, in_place: bool) -> None:
    """In the pressed message, or as a new one."""
    if in_place and query.message is not None:
        await turn.show_in_place(query.message.message_id, card)
    else:
        await turn.say(card)
