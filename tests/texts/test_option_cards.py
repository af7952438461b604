import pytest

from domain.actions import Action, Card
from domain.orders import AS_IT_COMES, Language, VideoOptions
from domain.video_options import ASPECT_RATIOS, aspect_ratio_of
from texts.option_cards import ask_format, ask_seconds, options_line

pytestmark = pytest.mark.unit


def buttons(card: Card) -> list[tuple[str, str]]:
    return [(button.label, button.argument) for row in card.rows for button in row]


def test_the_photo_comes_first_and_the_choice_is_marked() -> None:
    card = ask_format(Language.EN, ASPECT_RATIOS, "16:9")
    assert buttons(card) == [
        ("📷 As the photo", ""),
        ("📱 9:16", "9x16"),
        ("✓ 🖥 16:9", "16x9"),
        ("⏹ 1:1", "1x1"),
    ]
    assert buttons(ask_format(Language.RU, ASPECT_RATIOS, ""))[0] == ("✓ 📷 Как на фото", "")
    assert {button.action for row in card.rows for button in row} == {Action.FORMAT}


def test_only_what_is_on_offer_is_explained() -> None:
    card = ask_format(Language.EN, ("1:1",), "")
    assert "1:1" in card.text
    assert "9:16" not in card.text
    assert [aspect_ratio_of(argument) for _, argument in buttons(card)] == ["", "1:1"]
    assert len(ask_format(Language.EN, (), "").rows) == 1


def test_a_length_shows_its_price() -> None:
    assert buttons(ask_seconds(Language.EN, {10: 2, 5: 1}, 0)) == [
        ("✓ ⏱ 5 s · 1 credit", "5"),
        ("⏱ 10 s · 2 credits", "10"),
    ]
    assert buttons(ask_seconds(Language.RU, {5: 3, 10: 6}, 10)) == [
        ("⏱ 5 с · 3 кредита", "5"),
        ("✓ ⏱ 10 с · 6 кредитов", "10"),
    ]


@pytest.mark.parametrize(
    ("options", "russian", "english"),
    [
        (AS_IT_COMES, "", ""),
        (VideoOptions("16:9"), "16:9", "16:9"),
        (VideoOptions(seconds=10), "10 с", "10 s"),
        (VideoOptions("16:9", 10), "16:9 · 10 с", "16:9 · 10 s"),
    ],
)
def test_the_line_says_what_was_chosen(options: VideoOptions, russian: str, english: str) -> None:
    assert (options_line(Language.RU, options), options_line(Language.EN, options)) == (russian, english)
