"""Delete my data: asked once, done in one transaction, and nobody is known again before he says /start."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from aiogram import BaseMiddleware
from aiogram.types import TelegramObject, Update, User

from bot.middleware import Handler
from bot.parts import BotParts
from bot.turn import Turn, acknowledge, patiently
from clients.telegram import TelegramError
from domain.actions import Card
from domain.deeds import Deed, DeedKind
from domain.orders import Language, language_of
from store.forget import Belongings, Outcome
from texts import admin_cards, forget_cards, label

_log = structlog.get_logger()

ANSWER_WITHIN: Final = timedelta(hours=1)
"""An older card speaks of a balance that is gone."""

_YES: Final = re.compile(rf"{forget_cards.YES}\.([0-9]{{9,11}})\.([0-9]{{1,9}})")
_NOTHING: Final = Belongings(known_since=datetime.min.replace(tzinfo=UTC), available=0, videos=0)


async def ask(turn: Turn) -> Card:
    if turn.user.tg_user_id in turn.parts.shop.admins:
        return forget_cards.administrator(turn.language)
    return _question(turn, await _belongings(turn))


def _question(turn: Turn, own: Belongings) -> Card:
    if not own.can_be_forgotten:
        return forget_cards.not_yet(turn.language, own.open_orders, own.available)
    return forget_cards.ask(turn.language, own.available, own.videos, turn.parts.clock())


async def keep(turn: Turn) -> Card:
    return forget_cards.kept(turn.language, (await _belongings(turn)).available)


async def confirmed(turn: Turn, argument: str) -> Card | None:
    """None for a Yes that is too old, or that somebody else before him was asked for."""
    said = _YES.fullmatch(argument)
    if said is None:
        return None
    asked_at, available_said = datetime.fromtimestamp(int(said[1]), UTC), int(said[2])
    if turn.user.tg_user_id in turn.parts.shop.admins:
        return forget_cards.administrator(turn.language)
    if not await _is_fresh(turn, asked_at):
        return None
    return await _forget(turn, available_said)


async def _is_fresh(turn: Turn, asked_at: datetime) -> bool:
    """A new person with the same account does not answer what the forgotten one was asked."""
    now, known_since = turn.parts.clock(), (await _belongings(turn)).known_since
    return now - ANSWER_WITHIN <= asked_at <= now and known_since < asked_at + timedelta(seconds=1)


async def _forget(turn: Turn, available_said: int) -> Card:
    parts, person = turn.parts, turn.user.tg_user_id
    outcome = await parts.forgetting.forget(person, parts.fingerprints.of(person), available_said)
    if outcome is Outcome.CHANGED:
        return forget_cards.changed(turn.language, await ask(turn))
    if outcome is Outcome.NOT_YET:
        return await ask(turn)
    if outcome is Outcome.NOBODY:
        return forget_cards.gone(turn.language)
    _log.info("person forgotten", user_id=turn.user.id)
    return forget_cards.done(turn.language, available_said)


async def _belongings(turn: Turn) -> Belongings:
    return await turn.parts.forgetting.look(turn.user.tg_user_id) or _NOTHING


# -- afterwards -----------------------------------------------------------------------------------


class Forgotten(BaseMiddleware):
    """An old button, a late message: answered, and nobody is registered. Payments have passed before."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        sender: User | None = data.get("event_from_user")
        if sender is None or not isinstance(event, Update) or _begins_anew(event):
            return await handler(event, data)
        fingerprint = self._parts.fingerprints.of(sender.id)
        if not await self._parts.forgetting.is_gone(sender.id, fingerprint):
            return await handler(event, data)
        await self._answer(event, sender)
        return None

    async def _answer(self, update: Update, sender: User) -> None:
        language = language_of(None, sender.language_code)
        if update.callback_query is not None:
            await acknowledge(self._parts, update.callback_query.id, label(language, "toast-gone"))
        elif update.message is not None:
            await tell(self._parts, sender.id, forget_cards.gone(language))


def _begins_anew(update: Update) -> bool:
    text = (update.message.text if update.message else None) or ""
    return text.split(maxsplit=1)[:1] == ["/start"]


async def tell(parts: BotParts, chat_id: int, card: Card) -> None:
    """What is deleted is deleted, whether or not he can be told."""
    try:
        await patiently(lambda: parts.telegram.send_text(chat_id, card))
    except TelegramError as error:
        _log.info("a forgotten person was not told", error=type(error).__name__)


# -- for somebody else, by an administrator -------------------------------------------------------


async def ask_deed(turn: Turn, tg_user_id: int) -> Card:
    parts, language = turn.parts, turn.language
    if tg_user_id in parts.shop.admins:
        return forget_cards.deed_of_administrator(language, tg_user_id)
    own = await parts.forgetting.look(tg_user_id)
    if own is None:
        return admin_cards.sentence(language, "admin-nobody", user=str(tg_user_id))
    if not own.can_be_forgotten:
        return forget_cards.deed_not_yet(language, own.open_orders, own.refunds)
    deed = Deed(kind=DeedKind.FORGET, tg_user_id=tg_user_id, credits=own.available)
    deed_id = await parts.audit.ask(turn.user.tg_user_id, deed)
    return forget_cards.confirm_deed(language, deed, own.videos, deed_id)


async def do_deed(turn: Turn, deed: Deed) -> Card:
    """A repeated Yes finds nobody, and is answered as the first one."""
    parts, person = turn.parts, deed.tg_user_id
    known = await parts.users.find(person)
    if known is None:
        return forget_cards.deed_done(turn.language)
    outcome = await parts.forgetting.forget(person, parts.fingerprints.of(person), deed.credits)
    if outcome is Outcome.NOT_YET:
        own = await parts.forgetting.look(person) or _NOTHING
        return forget_cards.deed_not_yet(turn.language, own.open_orders, own.refunds)
    if outcome is Outcome.CHANGED:
        return forget_cards.deed_changed(turn.language)
    if outcome is Outcome.FORGOTTEN:
        _log.info("person forgotten", user_id=known.id)
        parts.background.run(tell(parts, person, _goodbye(known.language, deed)))
    return forget_cards.deed_done(turn.language)


def _goodbye(language: Language, deed: Deed) -> Card:
    return forget_cards.done(language, deed.credits)
