"""What somebody with a phone does next, from what stands in the chat."""

from collections import Counter

import pytest

from tests.chaos.plan import Errand, Fate, Whim
from tests.chaos.shopper import DONE, PHOTO, Shopping, next_deed
from tests.stories.seller import Message

pytestmark = pytest.mark.unit

TEMPLATES = ("🤳 UGC", "✨ Ad", "✍️ Own prompt")


def message(number: int, *labels: str, text: str = "", from_bot: bool = True) -> Message:
    return Message(
        id=number,
        from_bot=from_bot,
        kind="text",
        text=text,
        labels=labels,
        datas=labels,
        rang=True,
        file_unique_id="",
        reply_to=None,
        versions=(),
    )


def shopping(since: int = 0, template: str = "Own prompt", **more: object) -> Shopping:
    errand = Errand(0.0, 1, 0, template, 3, Fate.NORMAL, Whim.NONE)
    return Shopping(errand, since, **more)  # type: ignore[arg-type]  # the test names the fields


@pytest.mark.parametrize(
    ("labels", "said", "pressed"),
    [
        (TEMPLATES, 0, "Own prompt"),
        (("Skip",), 0, "words"),
        (("Skip",), 1, "Skip"),
        (("1", "3", "5"), 1, "3"),
        (("🎬 Generate", "Cancel"), 1, "Generate"),
        (("Make 1 with what you have", "Top up"), 1, "Top up"),
        (("5 credits – 150 ⭐", "20 credits – 500 ⭐"), 1, "20 credits"),
        (("Replace", "New order"), 0, "New order"),
    ],
)
def test_the_newest_question_is_answered(labels: tuple[str, ...], said: int, pressed: str) -> None:
    chat = [message(1, "🎬 Generate"), message(2, *labels), message(3, from_bot=False)]
    assert next_deed(shopping(said=said), chat).label == pressed


def test_a_question_without_buttons_is_answered_with_words() -> None:
    chat = [message(1, *TEMPLATES), message(2, text="Write what happens in the video")]
    assert next_deed(shopping(), chat).label == "words"


def test_where_nothing_is_asked_a_photo_begins() -> None:
    assert next_deed(shopping(), []) is PHOTO
    assert next_deed(shopping(since=5), [message(5, "🎬 Generate")]) is PHOTO


def test_a_tapped_card_that_was_accepted_is_the_end() -> None:
    accepted = [message(1, "✖️ Cancel the order", "🔁 More of this product")]
    assert next_deed(shopping(tapped={1}), accepted) is DONE
    assert next_deed(shopping(), accepted) is not DONE


def test_a_button_that_leads_nowhere_is_left_for_a_photo() -> None:
    menu = message(1, "🎬 New order")
    tried = Counter({(1, "New order"): 3})
    assert next_deed(shopping(), [menu]).label == "New order"
    assert next_deed(shopping(presses=tried), [menu]) is PHOTO


def test_a_photo_is_sent_where_one_is_asked_for() -> None:
    asked = [message(1, "🎬 New order"), message(2, text="📷 Send me one photo of the product: in focus")]
    assert next_deed(shopping(), asked) is PHOTO


def test_a_tapped_card_that_stays_as_it_was_is_tapped_again() -> None:
    assert next_deed(shopping(tapped={1}), [message(1, "🎬 Generate")]).label == "Generate"
