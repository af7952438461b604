"""Screens of topping up, payments, history and terms, with made-up facts."""

from datetime import UTC, datetime
from typing import Final

from domain.actions import Card
from domain.credits import EntryKind, HistoryLine
from domain.orders import Language
from domain.payments import Package
from texts import money_cards
from texts.money_cards import Shortage

DRAFT_ID: Final = "0123456789abcdef0123"
SUPPORT: Final = "@help"
PACKAGES: Final = (
    Package("5c150s", 5, 150),
    Package("20c500s", 20, 500),
    Package("99999c99999s", 99_999, 99_999),
)
_AT: Final = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
_LINES: Final = (
    HistoryLine(EntryKind.PURCHASE_REFUND, -20, _AT, amount=500),
    HistoryLine(EntryKind.GRANT, 2, _AT, note="a gift from the <shop>"),
    HistoryLine(EntryKind.GRANT, -2, _AT, note="counted twice"),
    HistoryLine(EntryKind.REFUND, 1, _AT, video_number=2),
    HistoryLine(EntryKind.RESERVE, -3, _AT, video_count=3),
    HistoryLine(EntryKind.PURCHASE, 20, _AT, amount=500),
    HistoryLine(EntryKind.WELCOME, 3, _AT),
)
_SHORT: Final = Shortage(DRAFT_ID, 5, 3)


def money_screens(language: Language) -> dict[str, Card]:
    return {
        "Top up": money_cards.top_up(language, PACKAGES, SUPPORT, 3),
        "Top up, an order waits": money_cards.top_up(language, PACKAGES, SUPPORT, 3, DRAFT_ID),
        "Paid": money_cards.credited(language, 20, 23),
        "Paid, the order's card follows": money_cards.credited(language, 5, 8, order_kept=True),
        "Paid, still short": money_cards.credited(language, 4, 4, order_kept=True, short=_SHORT),
        "Paid, not even one": money_cards.credited(
            language, 4, 4, order_kept=True, short=Shortage(DRAFT_ID, 5, 0)
        ),
        "Paid for no invoice of ours": money_cards.unclear(
            language, 500, "XTR", 3, "stx" + "x" * 60, SUPPORT
        ),
        "Paid, and a bug of ours": money_cards.not_booked(language, "150 ⭐", "stxAbCdEf0123", SUPPORT),
        "Refunded": money_cards.refunded(language, 500, 20, 0),
        "Refunded, no credits to take": money_cards.refunded(language, 500, 0, 3),
        "History": money_cards.history(language, _LINES, 3, 1, 2, has_older=True),
        "History, empty": money_cards.history(language, [], 0, 0, 1, has_older=False),
        "Terms": money_cards.terms(language, 1, SUPPORT),
        "Privacy": money_cards.privacy(language, SUPPORT),
        "Help with a payment": money_cards.paysupport(language, SUPPORT),
    }
