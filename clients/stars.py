"""Telegram Stars as a payment provider."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel, SecretStr, ValidationError

from clients.invoices import InvoiceSigner
from clients.telegram import (
    TelegramBlocked,
    TelegramClient,
    TelegramError,
    TelegramRateLimited,
    TelegramRefused,
    TelegramUnknown,
)
from domain.payments import (
    Invoice,
    InvoiceWords,
    Misfit,
    Movement,
    MovementPage,
    Provider,
    Receipt,
    RefundAnswer,
    RefundAnswerKind,
)

CURRENCY: Final = "XTR"
START_PARAMETER: Final = "topup"
"""A forwarded copy of an invoice leads here instead of being payable by whoever sees it."""

_ALREADY_REFUNDED: Final = "CHARGE_ALREADY_REFUNDED"
_INVOICE_PAYMENT: Final = "invoice_payment"
_PAGE: Final = 100  # Telegram gives out no more at once
_DONE: Final = RefundAnswer(RefundAnswerKind.DONE)


class _User(BaseModel):
    id: int


class _Partner(BaseModel):
    user: _User | None = None
    transaction_type: str = ""
    invoice_payload: str = ""


class _Transaction(BaseModel):
    id: str
    amount: int
    date: int
    source: _Partner | None = None
    receiver: _Partner | None = None


class _Transactions(BaseModel):
    transactions: list[_Transaction]


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

    async def movements(self, offset: int) -> MovementPage:
        """Raise a TelegramError."""
        fields = {"offset": offset, "limit": _PAGE}
        answer = await self._telegram.call("getStarTransactions", fields)
        try:
            page = _Transactions.model_validate(answer)
        except ValidationError:
            raise TelegramUnknown("getStarTransactions: an answer of another form") from None
        found = (_movement(each) for each in page.transactions)
        is_last = len(page.transactions) < _PAGE
        return MovementPage(
            tuple(each for each in found if each is not None), None if is_last else offset + _PAGE
        )


def _movement(transaction: _Transaction) -> Movement | None:
    """A refund bears the id of its payment, and names the receiver. Fragment, gifts and ads are not ours."""
    partner = transaction.source or transaction.receiver
    if partner is None or partner.user is None or partner.transaction_type != _INVOICE_PAYMENT:
        return None
    receipt = Receipt(Provider.STARS, partner.user.id, transaction.amount, CURRENCY, partner.invoice_payload)
    at = datetime.fromtimestamp(transaction.date, UTC)
    return Movement(transaction.id, receipt, is_refund=transaction.source is None, at=at)


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
