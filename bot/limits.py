"""How fast one person may go, and how much he may order. Payments pass before this, whatever the pace."""

from typing import Any, Final

import structlog
from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, TelegramObject, Update, User

from bot.middleware import Handler
from bot.parts import BotParts
from bot.turn import Turn, acknowledge
from clients.telegram import TelegramError
from domain.orders import Language, language_of
from store.limits import Rate
from store.orders import Placement
from texts import label, limit_cards

_log = structlog.get_logger()

_ANSWER_SECONDS: Final = 10.0  # one kind answer in so long
_TOAST_SECONDS: Final = 1.0


async def say_too_many(turn: Turn, placement: Placement) -> None:
    """The draft stays: the same Generate buys it when it goes on."""
    shop, language = turn.parts.shop, turn.language
    available = (await turn.parts.ledger.balance(turn.user.tg_user_id)).available
    if placement.goes_on_at is None:
        await turn.say(limit_cards.too_many_open(language, shop.open_orders_max, available))
    else:
        wait = placement.goes_on_at - turn.parts.clock()
        await turn.say(limit_cards.too_many_today(language, shop.orders_per_day_max, available, wait))


class Throttle(BaseMiddleware):
    """What is too fast counts as handled: one kind answer, and nothing else happens."""

    def __init__(self, parts: BotParts) -> None:
        shop = parts.shop
        self._parts = parts
        burst = shop.messages_burst_seconds * shop.messages_per_second
        self._pace = Rate(shop.messages_per_second, burst=max(1.0, burst))

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        sender: User | None = data.get("event_from_user")
        if sender is None or not isinstance(event, Update) or not _is_limited(event):
            return await handler(event, data)
        if not await self._parts.limits.take(f"updates of {sender.id}", self._pace):
            return await handler(event, data)
        if event.callback_query is not None:
            await self._toast(event.callback_query)
        else:
            await self._answer(sender)
        return None

    async def _toast(self, query: CallbackQuery) -> None:
        sender = query.from_user
        if await self._is_due(f"toast for {sender.id}", _TOAST_SECONDS):
            text = label(await self._language(sender), "toast-too-fast")
            await acknowledge(self._parts, query.id, text)

    async def _answer(self, sender: User) -> None:
        if not await self._is_due(f"answer for {sender.id}", _ANSWER_SECONDS):
            return
        card = limit_cards.too_fast(await self._language(sender))
        try:
            await self._parts.telegram.send_text(sender.id, card)
        except TelegramError as error:
            _log.info("too fast, and not told", error=str(error))

    async def _is_due(self, name: str, pause_seconds: float) -> bool:
        once = Rate(1 / (pause_seconds * self._parts.time_scale), burst=1)
        return await self._parts.limits.take(name, once) == 0

    async def _language(self, sender: User) -> Language:
        known = await self._parts.users.find(sender.id)
        return known.language if known else language_of(None, sender.language_code)


def _is_limited(update: Update) -> bool:
    """Not the news that somebody blocked the bot or came back: it happens once."""
    return update.my_chat_member is None
