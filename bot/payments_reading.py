"""The provider's own books, read again: what was paid or sent back and never reached ours."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog
from aiogram.types import SuccessfulPayment
from aiogram.types import User as Payer

from bot.parts import BotParts
from bot.payments_received import received
from bot.payments_refunds import refunded_by_telegram
from clients.telegram import TelegramError, TelegramRateLimited
from domain.payments import Movement, MovementPage, PaymentState

READ_SECONDS: Final = 600.0
READ_PAYMENTS: Final = "payments-read"

_EVERY: Final = timedelta(days=1)
_READ_AGAIN: Final = 1_000  # of those that were read before: the last ones were still on their way
_ON_THE_WAY: Final = timedelta(minutes=10)  # for so long its own update may come, and is answered
_log = structlog.get_logger()


class PaymentsReader:
    """Several bots may read at once: the charge id books each payment once."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts

    async def read_daily(self) -> None:
        last = await self._parts.chores.last(READ_PAYMENTS)
        if last is None or last.ended_at < self._parts.clock() - _EVERY:
            await self._read_or_say()

    async def read(self, at_least: timedelta = timedelta(0)) -> int:
        """How many were missing, of those so old. Raise TelegramError: what was booked by then stays."""
        began_at = self._parts.clock()
        not_after = began_at - at_least
        last = await self._parts.chores.last(READ_PAYMENTS)
        read_before = int(last.details.get("read", 0)) if last else 0
        offset: int | None = max(0, read_before - _READ_AGAIN)
        missing = read = 0
        while offset is not None:
            page = await self._page(offset)
            missing += sum([await self._book(each, not_after) for each in page.movements])
            read = page.next_offset or offset
            offset = page.next_offset
        await self._parts.chores.ended(READ_PAYMENTS, began_at, {"read": read, "missing": missing})
        if not at_least:
            await self._parts.restores.mark_payments_read()
        _log.info("payments read again", missing=missing)
        return missing

    async def _page(self, offset: int) -> MovementPage:
        """Asked for again when Telegram wants a pause: there may be a thousand before the bot opens."""
        while True:
            try:
                return await self._parts.provider.movements(offset)
            except TelegramRateLimited as limited:
                await asyncio.sleep(limited.retry_after_seconds)

    async def _read_or_say(self) -> None:
        try:
            await self.read(_ON_THE_WAY)
        except TelegramError as error:
            _log.warning("payments were not read", error=str(error) or type(error).__name__)

    async def _book(self, movement: Movement, not_after: datetime) -> bool:
        """True: it was missing. As if its update had come now."""
        payment = await self._parts.payments.find(movement.charge_id)
        if movement.is_refund:
            if payment is not None and payment.state is PaymentState.REFUNDED:
                return False
            await refunded_by_telegram(self._parts, movement.charge_id)
            return True
        if payment is not None or movement.at > not_after:
            return False
        receipt = movement.receipt
        known = await self._parts.users.find(receipt.tg_user_id)
        language = known.language.value if known else None
        payer = Payer(id=receipt.tg_user_id, is_bot=False, first_name="", language_code=language)
        paid = SuccessfulPayment(
            currency=receipt.currency,
            total_amount=receipt.amount,
            invoice_payload=receipt.payload,
            telegram_payment_charge_id=movement.charge_id,
            provider_payment_charge_id="",
        )
        await received(self._parts, payer, paid)
        return True
