"""The morning's report: with nothing in it, and with as much of everything as there can be."""

from datetime import date

from domain.actions import Card
from domain.broadcasts import TEXT_UNITS_MAX
from domain.daily import AccountDay, DayReport
from domain.failures import FailureClass
from domain.figures import DayFigures, Deliveries, Income, Orders, Refunded, Spend
from domain.orders import Language
from tests.texts.admin_screens import EMPTY_DAY, FULL_DAY
from texts import broadcast_cards, report_cards

DAY = date(2026, 11, 20)
FULLEST_DAY = DayFigures(
    Orders(1_000_000, 1_000_000, 5_000_000, 1_000_000),
    Deliveries(5_000_000, 5_000_000, 3_600, 3_600),
    tuple(Refunded(each.value, 1_000_000, 1_000_000) for each in FailureClass),
    tuple(Income(each, 1_000_000, 9_999_999, 1, 1_000_000, 9_999_999) for each in ("XTR", "RUB", "USD")),
    Spend(1.0, 1),
    (),
    (),
)
ACCOUNTS = (
    AccountDay("alpha", 1_200.4, 300.0, blocked=False, keys=2, keys_blocked=0),
    AccountDay("<beta>", None, 0.0, blocked=True, keys=1, keys_blocked=1),
)


def report(figures: DayFigures, before: DayFigures) -> DayReport:
    return DayReport(DAY, figures, before, ACCOUNTS, 754.0, 3, 5 * 3_600.0)


def report_screens(language: Language) -> list[Card]:
    many = tuple(
        AccountDay(f"account-{n}" * 5, 1e9, 1e9, blocked=True, keys=10, keys_blocked=10) for n in range(30)
    )
    return [
        report_cards.daily(language, DayReport(DAY, EMPTY_DAY, EMPTY_DAY)),
        report_cards.daily(language, report(FULL_DAY, EMPTY_DAY)),
        report_cards.daily(language, report(EMPTY_DAY, FULL_DAY)),
        report_cards.daily(language, DayReport(DAY, FULLEST_DAY, FULL_DAY, many, 1e7, 1_000_000, 1e7)),
        broadcast_cards.broadcast("<" * TEXT_UNITS_MAX),
    ]
