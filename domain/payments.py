"""What is sold, and what a payment can be."""

from dataclasses import dataclass
from enum import StrEnum


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
