"""Whatever nobody else took: every input gets an answer."""

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from bot.screens import hint, stale
from bot.turn import Turn


def router() -> Router:
    router = Router(name="fallback")
    router.message.register(other_message)
    router.callback_query.register(old_button)
    return router


async def other_message(_: Message, turn: Turn) -> None:
    await hint(turn, "unsupported-input")


async def old_button(_: CallbackQuery, turn: Turn) -> None:
    await stale(turn)
