"""What is always true of money and videos, and how far a check of it has come."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

STALE_AFTER: Final = timedelta(minutes=5)
"""The check runs every minute: so much later nobody can say that all is well."""

FROZEN_XID: Final = 2
"""Older than every transaction: whoever asks since then leaves out nothing."""

_COMPARABLE_XIDS: Final = 2**31 - 1_000_000
_XIDS: Final = 2**32
_FIRST_NORMAL_XID: Final = 3


class Rule(StrEnum):
    """The numbers are those of docs/decisions/invariants.md."""

    WALLETS = "I1"
    SETTLED_ONCE = "I2"
    STATE_AND_SETTLEMENT = "I3"
    BOUGHT_ONCE = "I4"
    PAYMENTS = "I5"
    DEADLINES = "I6"


@dataclass(frozen=True, slots=True)
class Broken:
    """`subject` is the id of a wallet's user, a video, a payment, or the cause of an entry."""

    rule: Rule
    subject: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """All that is broken of one rule now; `examples` are only some of it."""

    rule: Rule
    count: int
    examples: tuple[Broken, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        return tuple(each.subject for each in self.examples)


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check looked at, row by row, and what is broken after it, found by whichever check."""

    complete: bool
    rows: Mapping[Rule, int]
    broken: Mapping[Rule, BrokenRule]
    previous_at: datetime | None = None
    has_news: bool = False  # the admins have not read everything

    def broken_count(self, rule: Rule) -> int:
        return self.broken[rule].count if rule in self.broken else 0


@dataclass(frozen=True, slots=True)
class Walk:
    """Through the pages of one table, in one check or in several.

    What is written while it goes on is new to the next walk, so that one looks at everything since this
    one began.
    """

    next_page: int
    since_xid: int
    begun_xid: int

    @classmethod
    def begin(cls, now_xid: int, since_xid: int = FROZEN_XID) -> Self:
        """Transaction ids cannot be compared over 2³¹ of them, nor with those of another server."""
        known = since_xid <= now_xid < since_xid + _COMPARABLE_XIDS
        return cls(0, since_xid if known else FROZEN_XID, now_xid)

    @property
    def looks_at_all(self) -> bool:
        return self.since_xid == FROZEN_XID

    @property
    def since(self) -> int:
        """As a row carries it: the lower half."""
        return self.since_xid if self.looks_at_all else max(_FIRST_NORMAL_XID, self.since_xid % _XIDS)

    def stretches(self, pages: int, pages_each: int) -> Iterator[tuple[int, int]]:
        """The last one has room for pages that come meanwhile."""
        for first in range(self.next_page, max(pages, self.next_page + 1), pages_each):
            yield first, first + pages_each

    def walked(self, pages: int, pages_max: int) -> tuple[int, "Walk | None"]:
        """How many pages to look at now, and where to go on; None: this walk is over."""
        before = self.next_page + pages_max
        if before >= pages:
            return pages, None
        return before, Walk(before, self.since_xid, self.begun_xid)


@dataclass(slots=True)
class Found:
    """What a check collects on its way."""

    rows: dict[Rule, int] = field(default_factory=lambda: dict.fromkeys(Rule, 0))
    broken: dict[tuple[Rule, str], Broken] = field(default_factory=dict)

    def add(self, rules: tuple[Rule, ...], rows: int, broken: list[Broken]) -> None:
        for rule in rules:
            self.rows[rule] += rows
        self.broken.update({(each.rule, each.subject): each for each in broken})
