"""What is sold, what a payment can be, and what a payment provider does for us."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Provider(StrEnum):
    STARS = "stars"


class PaymentState(StrEnum):
    PAID = "PAID"
    UNCLEAR = "UNCLEAR"  # money came, but not for an invoice of ours as it was signed: a person decides
    REFUNDING = "REFUNDING"  # the credits are taken, the provider has still to be told
    REFUNDED = "REFUNDED"
    REFUND_REFUSED = "REFUND_REFUSED"  # the provider will not: a person decides


@dataclass(frozen=True, slots=True)
class Package:
    """`stars` is the price in Telegram Stars."""

    id: str
    credits: int
    stars: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """What we offered to one person. `draft_id` is what was short of credits, if anything was."""

    tg_user_id: int
    package: Package
    draft_id: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceWords:
    """Finished texts in the person's language; Telegram takes 32 and 255 characters."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says is paid, or is about to be. `amount` is in the smallest unit of `currency`."""

    provider: Provider
    tg_user_id: int
    amount: int
    currency: str
    payload: str


class Misfit(StrEnum):
    """Why a receipt is not for an invoice of ours."""

    FORGED = "forged"
    OTHER_PAYER = "other_payer"
    OTHER_PRICE = "other_price"


class RefundAnswerKind(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """`reason` in the provider's words, for admins. `after_seconds`: how long it asks us to wait."""

    kind: RefundAnswerKind
    reason: str = ""
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that came from a person for an invoice, or went back to him: the provider's own record."""

    charge_id: str
    receipt: Receipt
    is_refund: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class MovementPage:
    """`next_offset` is None at the end. What is neither a payment nor its refund is left out."""

    movements: tuple[Movement, ...]
    next_offset: int | None


class PaymentProvider(Protocol):
    """One way to pay. Another one is another class: nobody else knows which it is."""

    async def offer(self, invoice: Invoice, words: InvoiceWords) -> None:
        """Show the invoice to its person, and make sure that nobody else can pay it."""

    def invoice_of(self, receipt: Receipt) -> Invoice | Misfit:
        """The invoice a receipt is for, just as it was offered. Needs no other machine."""

    async def refund(self, tg_user_id: int, charge_id: str) -> RefundAnswer:
        """One attempt. Refunded before is done."""

    async def movements(self, offset: int) -> MovementPage:
        """From this one of all transactions on, the oldest first. Raise TelegramError."""
