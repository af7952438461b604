"""The user blocks the bot, and comes back."""

from aiogram import Router
from aiogram.filters import JOIN_TRANSITION, LEAVE_TRANSITION, ChatMemberUpdatedFilter
from aiogram.types import ChatMemberUpdated

from bot.turn import Turn
from bot.welcome import welcome_back


def router() -> Router:
    router = Router(name="membership")
    router.my_chat_member.register(blocked, ChatMemberUpdatedFilter(LEAVE_TRANSITION))
    router.my_chat_member.register(unblocked, ChatMemberUpdatedFilter(JOIN_TRANSITION))
    return router


async def blocked(_: ChatMemberUpdated, turn: Turn) -> None:
    await turn.parts.users.mark_blocked(turn.user.tg_user_id)


async def unblocked(_: ChatMemberUpdated, turn: Turn) -> None:
    await welcome_back(turn)
