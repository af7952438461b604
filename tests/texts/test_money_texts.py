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
        (EntryKind.GRANT, "−3 списано вручную: за &lt;так&gt;"),
    ],
)
def test_a_line_of_the_history(kind: EntryKind, said: str) -> None:
    line = HistoryLine(kind, -3, datetime(2026, 5, 9, tzinfo=UTC), 3, 2, 500, "за <так>")
    card = money_cards.history(Language.RU, [line], 3, 0, 1, has_older=False)
    assert card.text.splitlines()[-1] == f"9 мая · {said}"


def test_what_was_granted_and_what_was_taken_have_words_of_their_own() -> None:
    at = datetime(2026, 5, 9, tzinfo=UTC)
    lines = [HistoryLine(EntryKind.GRANT, credits_, at, note="counted twice") for credits_ in (2, -2)]
    card = money_cards.history(Language.EN, lines, 3, 0, 1, has_older=False)
    assert card.text.splitlines()[-2:] == [
        "9 May · +2 granted: counted twice",
        "9 May · −2 taken back: counted twice",
    ]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.EN, "Texts stay with the history of your orders until you delete your data"),
        (Language.RU, "Тексты остаются в истории ваших заказов, пока вы не удалите свои данные"),
    ],
)
def test_privacy_says_how_long_texts_are_kept(language: Language, said: str) -> None:
    assert said in money_cards.privacy(language, "@help").text
