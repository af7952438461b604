"""`/forget` and its button: asks, and takes the answer."""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from bot import forget
from bot.filters import Pressed
from bot.screens import stale
from bot.turn import Turn
from clients.telegram import TelegramError
from domain.actions import Action, Card
from texts import forget_cards


def router() -> Router:
    router = Router(name="forget")
    router.message.register(ask, Command("forget"))
    router.callback_query.register(press, Pressed(Action.FORGET))
    return router


async def ask(_: Message, turn: Turn) -> None:
    await turn.say(await forget.ask(turn))


async def press(query: CallbackQuery, turn: Turn, argument: str) -> None:
    if not argument:
        await turn.say(await forget.ask(turn))
        return
    kept = argument == forget_cards.NO
    card = await (forget.keep(turn) if kept else forget.confirmed(turn, argument))
    if card is None:
        await stale(turn)
    else:
        await _show(query, turn, card)


async def _show(query: CallbackQuery, turn: Turn, card: Card) -> None:
    """In the place of the question. What was done stays done where Telegram cannot be reached."""
    if query.message is None:
        await forget.tell(turn.parts, turn.chat_id, card)
        return
    message_id = query.message.message_id
    try:
        await turn.parts.telegram.edit_text(turn.chat_id, message_id, card)
    except TelegramError:
        await forget.tell(turn.parts, turn.chat_id, card)
