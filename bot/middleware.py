"""Around every update: the person, the button's spinner, and what happens to errors."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from aiogram import BaseMiddleware
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.dispatcher.flags import get_flag
from aiogram.types import CallbackQuery, ErrorEvent, TelegramObject, Update, User

from bot.parts import BotParts
from bot.payments_received import not_booked
from bot.people import know
from bot.screens import ask
from bot.turn import Turn, acknowledge, begin_turn
from bot.welcome import welcome_back
from clients.telegram import TelegramBlocked, TelegramError
from domain.orders import language_of
from store.database import UNAVAILABLE_ERRORS, DatabaseUnavailable
from telemetry import context
from texts import cards

_log = structlog.get_logger()

OWN_ANSWER: Final = "own_answer"
"""Flag of a handler that answers its callback query itself."""

DATABASE_AWAY: Final = (DatabaseUnavailable, *UNAVAILABLE_ERRORS)

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class TurnMiddleware(BaseMiddleware):
    """Knows the person and the dialog. An update that was applied before a crash is only answered."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        if not isinstance(event, Update):
            return await handler(event, data)
        sender: User = data["event_from_user"]
        user = await know(self._parts, sender.id, sender.language_code)
        context.note(user_id=user.id)
        turn = await begin_turn(self._parts, user, event.update_id)
        step = turn.dialog.step
        data["turn"], data["raw_state"] = turn, step.state if step else None  # the latter for StateFilter
        if turn.dialog.applied:
            return await ask(turn)
        if turn.user.blocked and event.my_chat_member is None:
            await welcome_back(turn)
        return await handler(event, data)


class Acknowledge(BaseMiddleware):
    """Stops the button's spinner while the handler works."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        if not isinstance(event, CallbackQuery) or get_flag(data, OWN_ANSWER):
            return await handler(event, data)
        answering = asyncio.create_task(acknowledge(self._parts, event.id))
        try:
            return await handler(event, data)
        finally:
            await answering


class Apologies:
    """A bug is logged, apologised for once, and acknowledged; only an unreachable database is not."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts

    async def handle(self, event: ErrorEvent, **data: Any) -> Any:
        error = event.exception
        if isinstance(error, DATABASE_AWAY):
            return UNHANDLED
        if isinstance(error, TelegramBlocked):
            _log.info("user cannot be reached", update_id=event.update.update_id)
            return None
        _log.error("update failed", update_id=event.update.update_id, exc_info=error)
        sender: User | None = data.get("event_from_user")
        message = event.update.message
        if sender is not None and message is not None and message.successful_payment is not None:
            await not_booked(self._parts, sender, message.successful_payment)
        elif sender is not None:
            await self._apologise(sender, data.get("turn"))
        return None

    async def _apologise(self, sender: User, turn: Turn | None) -> None:
        language = turn.language if turn else language_of(None, sender.language_code)
        try:
            await self._parts.telegram.send_text(sender.id, cards.apology(language))
        except TelegramError as error:
            _log.warning("apology was not sent", error=str(error))
