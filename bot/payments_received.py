"""Money has moved: the books first, then the person."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiogram import BaseMiddleware
from aiogram.types import SuccessfulPayment, TelegramObject, Update
from aiogram.types import User as Payer

from bot.alerting import alert_admins
from bot.parts import BotParts
from bot.payments_refunds import refunded_by_telegram
from bot.people import know
from bot.screens import affordable_count, buying_draft, show_draft
from bot.turn import Turn, begin_turn
from bot.welcome import welcome_back
from clients.telegram import TelegramError
from domain.orders import language_of
from domain.payments import Invoice, Misfit, PaymentState, Provider, Receipt
from store.drafts import Draft
from store.payments import Payment, PersonForgotten
from store.users import User
from texts import money_cards
from texts.money_cards import Shortage

_log = structlog.get_logger()

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class MoneyFirst(BaseMiddleware):
    """Before everything that limits, refuses or greets: a payment is booked whatever else is going on."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        message = event.message if isinstance(event, Update) else None
        if message is None:
            return await handler(event, data)
        if message.successful_payment is not None and message.from_user is not None:
            return await received(self._parts, message.from_user, message.successful_payment)
        if message.refunded_payment is not None:
            charge_id = message.refunded_payment.telegram_payment_charge_id
            return await refunded_by_telegram(self._parts, charge_id)
        return await handler(event, data)


async def received(parts: BotParts, payer: Payer, paid: SuccessfulPayment) -> None:
    """An update that comes again finds the payment booked, and is answered again."""
    receipt = Receipt(Provider.STARS, payer.id, paid.total_amount, paid.currency, paid.invoice_payload)
    invoice = parts.provider.invoice_of(receipt)
    fitting = None if isinstance(invoice, Misfit) else invoice
    user, payment = await _book(parts, payer, paid.telegram_payment_charge_id, receipt, fitting)
    _log.info("payment received", charge_id=payment.charge_id, state=payment.state, credits=payment.credits)
    if isinstance(invoice, Misfit) and payment.state is PaymentState.UNCLEAR:
        await _alert(parts, payer.id, payment, invoice)
    await _tell(await begin_turn(parts, user), payment)


async def _book(
    parts: BotParts, payer: Payer, charge_id: str, receipt: Receipt, invoice: Invoice | None
) -> tuple[User, Payment]:
    """Who is forgotten in this very moment (by an administrator) is a new person for his money."""
    while True:
        user = await know(parts, payer.id, payer.language_code)
        try:
            return user, await parts.payments.record(user.id, charge_id, receipt, invoice)
        except PersonForgotten:
            _log.info("payer was forgotten meanwhile", user_id=user.id, charge_id=charge_id)


async def not_booked(parts: BotParts, payer: Payer, paid: SuccessfulPayment) -> None:
    """The money came and a bug of ours kept it out of the books: a person has to put it right."""
    charge_id = paid.telegram_payment_charge_id
    amount = money_cards.paid_amount(paid.total_amount, paid.currency)
    cause = f"payment-not-booked:{charge_id}"
    await alert_admins(
        parts, cause, "alert-payment-not-booked", user=str(payer.id), amount=amount, charge=charge_id
    )
    known = await parts.users.find(payer.id)
    language = known.language if known else language_of(None, payer.language_code)
    card = money_cards.not_booked(language, amount, charge_id, parts.support_contact)
    try:
        await parts.telegram.send_text(payer.id, card)
    except TelegramError as error:
        _log.warning("trouble with a payment was not told", charge_id=charge_id, error=str(error))


async def _alert(parts: BotParts, tg_user_id: int, payment: Payment, misfit: Misfit) -> None:
    await alert_admins(
        parts,
        f"payment-unclear:{payment.charge_id}",
        "alert-payment-unclear",
        user=str(tg_user_id),
        amount=money_cards.paid_amount(payment.amount, payment.currency),
        charge=payment.charge_id,
        why=misfit.value,
    )


async def _tell(turn: Turn, payment: Payment) -> None:
    """Whoever cannot be told now sees it in his balance: the credits are there all the same."""
    try:
        if payment.state is PaymentState.PAID:
            await _say_credited(turn, payment)
        elif payment.state is PaymentState.UNCLEAR:
            await _say_unclear(turn, payment)
        if turn.user.blocked:
            await welcome_back(turn)
    except TelegramError as error:
        _log.warning("payment was not told", charge_id=payment.charge_id, error=str(error))


async def _say_credited(turn: Turn, payment: Payment) -> None:
    """What was short of credits is back at the bottom of the chat, one tap from being made."""
    wallet = await turn.parts.ledger.balance(turn.user.tg_user_id)
    draft = await buying_draft(turn, payment.draft_id)
    short = _shortage(draft, wallet.available) if draft else None
    await turn.say(
        money_cards.credited(
            turn.language, payment.credits, wallet.available, order_kept=draft is not None, short=short
        )
    )
    if draft is not None:
        await show_draft(turn, draft)


def _shortage(draft: Draft, available: int) -> Shortage | None:
    wanted = draft.offer
    needed = wanted.video_count * wanted.price_credits
    if needed <= available:
        return None
    count = affordable_count(available, wanted.price_credits, wanted.video_count)
    return Shortage(draft.id, needed, count)


async def _say_unclear(turn: Turn, payment: Payment) -> None:
    wallet = await turn.parts.ledger.balance(turn.user.tg_user_id)
    await turn.say(
        money_cards.unclear(
            turn.language,
            payment.amount,
            payment.currency,
            wallet.available,
            payment.charge_id,
            turn.parts.support_contact,
        )
    )
