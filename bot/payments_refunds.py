"""Money on its way back: the outbox of calls to the provider, and what the person hears."""

from datetime import timedelta
from typing import Final

import structlog

from bot.alerting import alert_admins
from bot.parts import BotParts
from bot.turn import patiently
from clients.telegram import TelegramError
from domain.payments import RefundAnswer, RefundAnswerKind
from store.payments import Payment
from texts import money_cards

_log = structlog.get_logger()

REFUND_SECONDS: Final = 3.0
_LEASE: Final = timedelta(seconds=60)  # longer than one call can take
_BACK_OFF_SECONDS: Final = 5.0
_BACK_OFF_SECONDS_MAX: Final = 900.0
_DOUBLINGS_MAX: Final = 10
_FORGOTTEN: Final = RefundAnswer(RefundAnswerKind.REFUSED, "the person is forgotten")


class RefundOutbox:
    """Several bots share it: each call is leased to one of them."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts

    async def empty(self) -> None:
        while (payment := await self._parts.payments.lease_refund(_LEASE)) is not None:
            await self._refund(payment)

    async def _refund(self, payment: Payment) -> None:
        answer = await self._ask(payment)
        if answer.kind is RefundAnswerKind.DONE:
            await _settle(self._parts, payment.charge_id)
        elif answer.kind is RefundAnswerKind.LATER:
            await self._postpone(payment, answer)
        else:
            await self._give_up(payment, answer.reason)

    async def _ask(self, payment: Payment) -> RefundAnswer:
        if payment.tg_user_id is None:
            return _FORGOTTEN
        return await self._parts.provider.refund(payment.tg_user_id, payment.charge_id)

    async def _postpone(self, payment: Payment, answer: RefundAnswer) -> None:
        back_off_seconds = _BACK_OFF_SECONDS * 2 ** min(payment.refund_tries - 1, _DOUBLINGS_MAX)
        seconds = min(back_off_seconds, _BACK_OFF_SECONDS_MAX) * self._parts.time_scale
        after = timedelta(seconds=max(seconds, answer.after_seconds))
        _log.warning("refund is tried again", charge_id=payment.charge_id, error=answer.reason, after=after)
        await self._parts.payments.postpone_refund(payment.charge_id, after, answer.reason)

    async def _give_up(self, payment: Payment, error: str) -> None:
        if not await self._parts.payments.refuse_refund(payment.charge_id, error):
            return
        await alert_admins(
            self._parts,
            f"refund-refused:{payment.charge_id}",
            "alert-refund-refused",
            user=str(payment.tg_user_id or "–"),
            amount=money_cards.paid_amount(payment.amount, payment.currency),
            error=error,
            charge=payment.charge_id,
        )


async def refunded_by_telegram(parts: BotParts, charge_id: str) -> None:
    """Also the echo of a refund of ours, and then there is nothing left to do."""
    if await _settle(parts, charge_id) or await parts.payments.find(charge_id) is not None:
        return
    await alert_admins(parts, f"refund-unknown:{charge_id}", "alert-refund-unknown", charge=charge_id)


async def _settle(parts: BotParts, charge_id: str) -> bool:
    """Whoever writes it down tells the person; False: it was written down before."""
    payment = await parts.payments.mark_refunded(charge_id)
    if payment is None:
        return False
    _log.info("payment refunded", charge_id=charge_id, debt_credits=payment.debt_credits)
    try:
        await _tell(parts, payment)
    except TelegramError as error:
        _log.warning("refund was not told", charge_id=charge_id, error=str(error))
    return True


async def _tell(parts: BotParts, payment: Payment) -> None:
    user = await parts.users.find(payment.tg_user_id) if payment.tg_user_id else None
    if user is None:
        return
    wallet = await parts.ledger.balance(user.tg_user_id)
    taken = payment.credits - payment.debt_credits
    card = money_cards.refunded(user.language, payment.amount, taken, wallet.available)
    await patiently(lambda: parts.telegram.send_text(user.tg_user_id, card))
