"""The kinds of ledger entries, and what each does to a wallet."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EntryKind(StrEnum):
    WELCOME = "welcome"
    GRANT = "grant"
    RESERVE = "reserve"
    CAPTURE = "capture"
    REFUND = "refund"
    PURCHASE = "purchase"
    PURCHASE_REFUND = "purchase_refund"  # the money went back, and the credits with it
    VOID = "void"  # an order released before it was reserved: a late reserve is refused


@dataclass(frozen=True, slots=True)
class Balance:
    """A wallet, in credits."""

    available: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger before it is written. `cause` is unique and makes it happen once."""

    user_id: int
    kind: EntryKind
    cause: str
    available_delta: int = 0
    reserved_delta: int = 0
    order_id: str | None = None
    video_id: str | None = None
    charge_id: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry as its user reads it. What an entry has nothing to do with is 0 or empty."""

    kind: EntryKind
    credits: int
    at: datetime
    video_count: int = 0
    video_number: int = 0
    amount: int = 0
    note: str = ""


class NotEnoughCredits(Exception):
    def __init__(self, available: int, needed: int) -> None:
        super().__init__(f"{available} available, {needed} needed")
        self.available = available
        self.needed = needed
