"""How the figures of a day are counted out."""

from datetime import date

import pytest

from domain.figures import DayFigures, Deliveries, Income, Orders, Spend
from domain.orders import Language
from texts import admin_cards

pytestmark = pytest.mark.unit

DAY = date(2026, 11, 21)
ENGLISH = {
    1: ("1 from 1 user, 1 video", "150 ⭐ in 1 payment for 5 credits", "150 ⭐ in 1 payment"),
    2: ("2 from 2 users, 2 videos", "150 ⭐ in 2 payments for 5 credits", "150 ⭐ in 2 payments"),
}
RUSSIAN = {
    1: ("1 от 1 пользователя, 1 ролик", "150 ⭐, 1 платёж, куплено 5 кредитов", "150 ⭐, 1 платёж"),
    2: ("2 от 2 пользователей, 2 ролика", "150 ⭐, 2 платежа, куплено 5 кредитов", "150 ⭐, 2 платежа"),
    5: ("5 от 5 пользователей, 5 роликов", "150 ⭐, 5 платежей, куплено 5 кредитов", "150 ⭐, 5 платежей"),
    21: ("21 от 21 пользователя, 21 ролик", "150 ⭐, 21 платёж, куплено 5 кредитов", "150 ⭐, 21 платёж"),
}


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        *((Language.EN, count, said) for count, said in ENGLISH.items()),
        *((Language.RU, count, said) for count, said in RUSSIAN.items()),
    ],
)
def test_the_figures_of_a_day_are_counted(language: Language, count: int, said: tuple[str, ...]) -> None:
    income = (Income("XTR", count, 150, 5, count, 150),)
    figures = DayFigures(
        Orders(count, count, count, 0), Deliveries(0, 0, None, None), (), income, Spend(0, 0), (), ()
    )
    text = admin_cards.day(language, DAY, DAY, figures).text
    lines = text.replace("<b>", "").replace("</b>", "").splitlines()
    assert all(any(line.endswith(words) for line in lines) for words in said), lines
