"""What administrators read every morning: a day, the day before it, and how things stand."""

from dataclasses import dataclass
from datetime import date

from domain.figures import DayFigures


@dataclass(frozen=True, slots=True)
class AccountDay:
    """Of a KIE account: `spent` on the day, the rest as it is now."""

    account: str
    balance: float | None
    spent: float
    blocked: bool
    keys: int
    keys_blocked: int


@dataclass(frozen=True, slots=True)
class DayReport:
    """Ages are None where there is nothing: no open video, no backup yet."""

    day: date
    figures: DayFigures
    before: DayFigures
    accounts: tuple[AccountDay, ...] = ()
    oldest_open_seconds: float | None = None
    broken: int = 0
    backup_age_seconds: float | None = None
