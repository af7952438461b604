"""Telegram Stars as a payment provider."""

from http import HTTPStatus
from typing import Final

from pydantic import SecretStr

from clients.invoices import InvoiceSigner
from clients.telegram import (
    TelegramBlocked,
    TelegramClient,
    TelegramError,
    TelegramRateLimited,
    TelegramRefused,
)
from domain.payments import (
    Invoice,
    InvoiceWords,
    Misfit,
    Receipt,
    RefundAnswer,
    RefundAnswerKind,
)

CURRENCY: Final = "XTR"
START_PARAMETER: Final = "topup"
"""A forwarded copy of an invoice leads here instead of being payable by whoever sees it."""

_ALREADY_REFUNDED: Final = "CHARGE_ALREADY_REFUNDED"
_DONE: Final = RefundAnswer(RefundAnswerKind.DONE)


class StarsPayments:
    def __init__(self, telegram: TelegramClient, bot_token: SecretStr) -> None:
        self._telegram = telegram
        self._signer = InvoiceSigner(bot_token)

    async def offer(self, invoice: Invoice, words: InvoiceWords) -> None:
        """Raise a TelegramError."""
        await self._telegram.call(
            "sendInvoice",
            {
                "chat_id": invoice.tg_user_id,
                "title": words.title,
                "description": words.description,
                "payload": self._signer.sign(invoice),
                "provider_token": "",
                "currency": CURRENCY,
                "prices": [{"label": words.title, "amount": invoice.package.stars}],
                "start_parameter": START_PARAMETER,
            },
        )

    def invoice_of(self, receipt: Receipt) -> Invoice | Misfit:
        invoice = self._signer.read(receipt.payload)
        if invoice is None:
            return Misfit.FORGED
        if invoice.tg_user_id != receipt.tg_user_id:
            return Misfit.OTHER_PAYER
        if (receipt.currency, receipt.amount) != (CURRENCY, invoice.package.stars):
            return Misfit.OTHER_PRICE
        return invoice

    async def refund(self, tg_user_id: int, charge_id: str) -> RefundAnswer:
        fields = {"user_id": tg_user_id, "telegram_payment_charge_id": charge_id}
        try:
            await self._telegram.call("refundStarPayment", fields)
        except TelegramError as error:
            return _answer(error)
        return _DONE


def _answer(error: TelegramError) -> RefundAnswer:
    """A bot token that is unknown for now says nothing of the payment."""
    if isinstance(error, TelegramRateLimited):
        return RefundAnswer(RefundAnswerKind.LATER, str(error), error.retry_after_seconds)
    if not isinstance(error, TelegramRefused | TelegramBlocked):
        return RefundAnswer(RefundAnswerKind.LATER, f"{type(error).__name__} {error}".strip())
    if _ALREADY_REFUNDED in error.description:
        return _DONE
    if isinstance(error, TelegramRefused) and error.code == HTTPStatus.UNAUTHORIZED:
        return RefundAnswer(RefundAnswerKind.LATER, error.description)
    return RefundAnswer(RefundAnswerKind.REFUSED, error.description)
