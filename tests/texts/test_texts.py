"""Both languages say the same things, with the same facts."""

import itertools
import re
from datetime import timedelta
from pathlib import Path

import pytest

import texts
from bot.commands import COMMANDS
from domain.actions import CALLBACK_DATA_BYTES_MAX, Card, parse_callback_data
from domain.failures import CLASS_POLICIES, FailureClass, FailureReason
from domain.orders import BRIEF_TEXT_CHARS_MAX, Brief, Language, Template, VideoOptions
from tests.texts.admin_screens import admin_screens
from tests.texts.forget_screens import forget_deed_screens
from tests.texts.invariant_screens import invariant_screens
from tests.texts.report_screens import report_screens
from tests.texts.screens import ORDER_ID, failed, screens
from tests.texts.write_screens import TARGET, document
from texts import cards, change_cards, limit_cards, option_cards, say

pytestmark = pytest.mark.unit

CAPTION_UNITS_MAX = 1_024
LANGUAGES = tuple(Language)
PARTS = ("photo", "style", "product", "wishes", "prompt", "count", "format", "seconds")


def variables(language: Language) -> dict[str, frozenset[str]]:
    source = texts.source(language)
    messages = re.split(r"\n(?=[a-z][\w-]* =)", re.sub(r"(?m)^#.*\n", "", source))
    return {
        message.split(" =")[0].strip(): frozenset(re.findall(r"\$(\w+)", message))
        for message in messages
        if " =" in message
    }


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def all_cards(language: Language) -> list[Card]:
    """Every screen, and the extremes that only tests look at."""
    return [
        *screens(language).values(),
        *admin_screens(language),
        *forget_deed_screens(language),
        *(cards.photo_refused(language, reason) for reason in FailureReason),
        *(failed(language, each, reason) for each, reason in itertools.product(FailureClass, FailureReason)),
        *(limit_cards.too_many_today(language, 100, 3, timedelta(minutes=each)) for each in (0, 59, 60)),
        *invariant_screens(language),
        *report_screens(language),
        change_cards.ask_change(language, PARTS, ORDER_ID),
        change_cards.unusable_photos(language, ("small", "large", "format", "gone", "ours", "other"), 9),
    ]


def test_both_languages_have_the_same_keys_and_variables() -> None:
    assert variables(Language.RU) == variables(Language.EN)
    assert set(texts.keys(Language.RU)) == set(texts.keys(Language.EN)) == set(variables(Language.EN))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_card_renders_and_its_buttons_come_back(language: Language) -> None:
    for card in all_cards(language):
        assert card.text.strip()
        assert "{" not in card.text
        for button in itertools.chain.from_iterable(card.rows):
            assert len(button.callback_data.encode()) <= CALLBACK_DATA_BYTES_MAX
            assert parse_callback_data(button.callback_data) == (button.action, button.argument)


def test_every_key_is_used_by_code() -> None:
    folder = Path(texts.__file__).parent.parent
    sources = [*folder.glob("texts/*.py"), *folder.glob("bot/**/*.py"), *folder.glob("activities/*.py")]
    code = "\n".join(path.read_text() for path in sources)
    built = (
        "failed-",
        "reason-",
        "stage-",
        "long-wait-",
        "closing-",
        "brief-",
        "template-",
        "command-",
        "standing-",
    )
    for key in texts.keys(Language.EN):
        name = key.removeprefix("button-").removesuffix("-numbered")
        assert key.startswith(built) or f'"{name}"' in code or f'"{key}"' in code, key


@pytest.mark.parametrize(
    ("count", "russian", "english"),
    [(1, "1 кредит", "1 credit"), (3, "3 кредита", "3 credits"), (5, "5 кредитов", "5 credits"),
     (21, "21 кредит", "21 credits"), (1200, "1200 кредитов", "1200 credits")],
)  # fmt: skip
def test_credits_are_counted_in_both_languages(count: int, russian: str, english: str) -> None:
    assert cards.counted_credits(Language.RU, count) == russian
    assert cards.counted_credits(Language.EN, count) == english


def test_videos_are_counted_in_russian() -> None:
    assert [cards.counted_videos(Language.RU, count) for count in (1, 3, 5)] == [
        "1 ролик",
        "3 ролика",
        "5 роликов",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letter", ["x", "ж", "🎬", "<"])
def test_a_long_brief_fits_the_caption(language: Language, letter: str) -> None:
    words = letter * BRIEF_TEXT_CHARS_MAX
    brief = Brief(Template.UGC, words, words, words)
    card = cards.confirm(language, brief, 5, 5, 1_000, ORDER_ID)
    assert units(card.text.replace("&lt;", "<")) <= CAPTION_UNITS_MAX


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letter", ["x", "🎬", "<"])
def test_notes_and_details_take_their_room_from_a_long_brief(language: Language, letter: str) -> None:
    words = letter * BRIEF_TEXT_CHARS_MAX
    details = [
        option_cards.options_line(language, VideoOptions("16:9", 10)),
        change_cards.views_line(language, 5),
    ]
    notes = ["n" * 250, '<a href="https://example.org/terms">' + "t" * 200 + "</a>"]
    brief = Brief(Template.UGC, words, words, words)
    card = cards.confirm(language, brief, 5, 50, 1_000, ORDER_ID, details=details, notes=notes)
    shown = re.sub("<[^>]+>", "", card.text).replace("&lt;", "<")
    assert units(shown) <= CAPTION_UNITS_MAX
    assert shown.count("…") == 3
    assert all(re.sub("<[^>]+>", "", line) in shown for line in (*details, *notes))


def test_what_a_person_wrote_is_escaped() -> None:
    card = cards.confirm(Language.EN, Brief(Template.OWN, own_prompt="<b>5 < 6 & 7"), 1, 1, 1, ORDER_ID)
    assert "&lt;b&gt;5 &lt; 6 &amp; 7" in card.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("failure_class", FailureClass)
def test_a_failure_names_the_money_and_offers_what_its_class_allows(
    language: Language, failure_class: FailureClass
) -> None:
    policy = CLASS_POLICIES[failure_class]
    card = failed(language, failure_class, FailureReason.NONE)
    actions = {button.action.value for row in card.rows for button in row}
    assert cards.counted_credits(language, 2) in card.text
    assert cards.counted_credits(language, 7) in card.text
    assert ("again" in actions) is policy.offers_try_again
    assert ("photo" in actions) is policy.offers_another_photo
    assert ("@help" in card.text) is policy.shows_support


def test_only_what_rings_and_what_closes_says_ready() -> None:
    source = texts.source(Language.EN)
    said = [line for line in source.splitlines() if "ready" in line.lower() and not line.startswith("#")]
    assert {line.split(" =")[0] for line in said} == {"ready", "ready-numbered", "closing"}


def test_the_english_labels_are_those_people_are_told() -> None:
    labels = {button.label for card in all_cards(Language.EN) for row in card.rows for button in row}
    for wanted in ("UGC", "Ad", "Own prompt", "Skip", "1", "3", "5", "Generate", "More of this product",
                   "Main menu", "Try again", "My balance", "Another photo", "Send it here", "Replace",
                   "New order", "Top up"):  # fmt: skip
        assert any(wanted in each for each in labels), wanted


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (Language.EN, ("Change", "format", "length", "top-up")),
        (Language.RU, ("Изменить", "формат", "длина", "пополнение")),
    ],
)
def test_help_names_what_can_be_chosen_and_every_command(language: Language, words: tuple[str, ...]) -> None:
    shown = cards.help_card(language, 1, "@help").text
    commands = (f"/{name}" for name in COMMANDS if name not in {"start", "help"})
    assert all(each in shown for each in (*words, *commands))
    assert len(shown.splitlines()) <= 25


def test_a_missing_key_is_an_error() -> None:
    with pytest.raises(texts.BrokenText):
        say(Language.EN, "no-such-key")
    with pytest.raises(texts.BrokenText):
        say(Language.EN, "balance")


def test_the_page_of_all_screens_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == document(), "run `make screens`"
