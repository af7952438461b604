"""What Telegram allows an invoice to say, and what a history line says."""

from datetime import UTC, datetime

import pytest

from domain.credits import EntryKind, HistoryLine
from domain.orders import Language
from domain.payments import Package
from tests.texts.money_screens import PACKAGES
from texts import money_cards

pytestmark = pytest.mark.unit

TITLE_MAX, DESCRIPTION_MAX = 32, 255


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("package", PACKAGES)
def test_an_invoice_fits(language: Language, package: Package) -> None:
    words = money_cards.invoice(language, package)
    assert 0 < len(words.title) <= TITLE_MAX
    assert 0 < len(words.description) <= DESCRIPTION_MAX


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (EntryKind.RESERVE, "−3 заказ: 3 ролика"),
        (EntryKind.REFUND, "−3 возврат: видео 2"),
        (EntryKind.PURCHASE, "−3 пополнение (500 ⭐)"),
        (EntryKind.PURCHASE_REFUND, "−3 звёзды возвращены (500 ⭐)"),
        (EntryKind.WELCOME, "−3 приветствие"),
        (EntryKind.GRANT, "−3 начислено вручную: за &lt;так&gt;"),
    ],
)
def test_a_line_of_the_history(kind: EntryKind, said: str) -> None:
    line = HistoryLine(kind, -3, datetime(2026, 5, 9, tzinfo=UTC), 3, 2, 500, "за <так>")
    card = money_cards.history(Language.RU, [line], 3, 0, 1, has_older=False)
    assert card.text.splitlines()[-1] == f"9 мая · {said}"
