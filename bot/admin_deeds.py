"""What administrators do to credits and payments: asked first, done once, written down, then told."""

import re
from typing import Final

import structlog

from bot import forget
from bot.admin_pages import TG_USER_ID, nobody
from bot.turn import Turn
from clients.telegram import TelegramError
from domain.actions import Card
from domain.deeds import Deed, DeedKind
from domain.payments import PaymentState
from store.audit import Done, TooMany
from store.payments import Payment, RefundStart
from texts import admin_cards, deed_cards, forget_cards, money_cards

_log = structlog.get_logger()

_CREDITS_TAKEN: Final = (PaymentState.REFUNDING, PaymentState.REFUND_REFUSED)


async def how_to_grant(turn: Turn, tg_user_id: str) -> Card | None:
    return _how_to(turn, "admin-how-to-grant", tg_user_id)


async def how_to_take(turn: Turn, tg_user_id: str) -> Card | None:
    return _how_to(turn, "admin-how-to-take", tg_user_id)


def _how_to(turn: Turn, key: str, tg_user_id: str) -> Card | None:
    if not re.fullmatch(TG_USER_ID, tg_user_id):
        return None
    return admin_cards.sentence(turn.language, key, user=tg_user_id)


async def ask_credits(turn: Turn, deed: Deed) -> Card:
    parts = turn.parts
    if await parts.users.find(deed.tg_user_id) is None:
        return nobody(turn, deed.tg_user_id)
    available = (await parts.ledger.balance(deed.tg_user_id)).available
    if deed.kind is DeedKind.TAKE and deed.credits > available:
        return deed_cards.too_many(turn.language, deed.tg_user_id, available)
    deed_id = await parts.audit.ask(turn.user.tg_user_id, deed)
    return deed_cards.confirm_credits(turn.language, deed, available, deed_id)


async def ask_refund(turn: Turn, charge_id: str, *, forced: bool = False) -> Card:
    payment = await turn.parts.payments.find(charge_id)
    if payment is None:
        return deed_cards.refund_outcome(turn.language, RefundStart.UNKNOWN, charge_id)
    if payment.state is PaymentState.REFUNDED:
        return deed_cards.refund_outcome(turn.language, RefundStart.REFUNDED, charge_id)
    if payment.tg_user_id is None:
        return forget_cards.payer_forgotten(turn.language, charge_id)
    deed = Deed(
        kind=DeedKind.REFUND,
        tg_user_id=payment.tg_user_id,
        credits=payment.credits,
        charge_id=charge_id,
        forced=forced,
    )
    return await _ask_refund(turn, payment, deed)


async def _ask_refund(turn: Turn, payment: Payment, deed: Deed) -> Card:
    deed_id = await turn.parts.audit.ask(turn.user.tg_user_id, deed)
    amount = money_cards.paid_amount(payment.amount, payment.currency)
    if payment.state in _CREDITS_TAKEN:
        return deed_cards.confirm_refund_again(turn.language, deed, amount, payment.state, deed_id)
    available = (await turn.parts.ledger.balance(deed.tg_user_id)).available
    return deed_cards.confirm_refund(turn.language, deed, amount, available, deed_id)


async def refund_of(turn: Turn, tg_user_id: str, reference: str) -> Card | None:
    charge_id = await _charge_id(turn, tg_user_id, reference)
    return await ask_refund(turn, charge_id) if charge_id else None


async def forced_refund_of(turn: Turn, tg_user_id: str, reference: str) -> Card | None:
    charge_id = await _charge_id(turn, tg_user_id, reference)
    return await ask_refund(turn, charge_id, forced=True) if charge_id else None


async def _charge_id(turn: Turn, tg_user_id: str, reference: str) -> str | None:
    if not re.fullmatch(TG_USER_ID, tg_user_id):
        return None
    payment = await turn.parts.statistics.payment(int(tg_user_id), reference)
    return payment.charge_id if payment else None


async def yes(turn: Turn, deed_id: str) -> Card | None:
    """A second Yes gets the same answer, and moves nothing."""
    try:
        done = await turn.parts.audit.confirm(turn.user.tg_user_id, deed_id)
    except TooMany as more:
        return deed_cards.too_many(turn.language, more.deed.tg_user_id, more.available)
    if done is None:
        return None
    if done.deed.kind is DeedKind.REFUND:
        return await _refund(turn, done.deed)
    if done.deed.kind is DeedKind.FORGET:
        return await forget.do_deed(turn, done.deed)
    if done.first:
        turn.parts.background.run(_tell_user(turn, done))
    return deed_cards.done_credits(turn.language, done.deed, done.balance.available)


async def no(turn: Turn, deed_id: str) -> Card | None:
    declined = await turn.parts.audit.decline(turn.user.tg_user_id, deed_id)
    return deed_cards.declined(turn.language) if declined else None


async def _refund(turn: Turn, deed: Deed) -> Card:
    begun = await turn.parts.payments.begin_refund(deed.charge_id, forced=deed.forced)
    if begun.start is RefundStart.SPENT:
        return deed_cards.refund_spent(turn.language, deed, begun.missing_credits)
    return deed_cards.refund_outcome(turn.language, begun.start, deed.charge_id)


async def _tell_user(turn: Turn, done: Done) -> None:
    """In his language; whoever has blocked the bot reads his balance when he is back."""
    parts, deed = turn.parts, done.deed
    known = await parts.users.find(deed.tg_user_id)
    if known is None:
        return
    card = deed_cards.credits_changed(known.language, deed, done.balance.available, parts.support_contact)
    try:
        await parts.telegram.send_text(deed.tg_user_id, card)
    except TelegramError as error:
        _log.info("user not told of a deed", error=type(error).__name__)
