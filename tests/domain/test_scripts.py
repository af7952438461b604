import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.failures import FailureReason
from domain.scripts import SCRIPT_CHARS_MIN, PhotoStatus, asked_chars, clean_script, fitting, wrong_with

pytestmark = pytest.mark.unit

GOOD = "A blue ceramic cup stands on a wooden table."


def test_every_status_has_a_reason() -> None:
    assert next(iter(PhotoStatus)) is PhotoStatus.OK  # a stand-in that picks the first is content
    assert [status.reason for status in PhotoStatus] == [
        FailureReason.NONE,
        FailureReason.NO_PRODUCT,
        FailureReason.BLURRED,
        FailureReason.COVERED,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A cup.\x00\x1b[31m Red\u202e.", "A cup.[31m Red."),
        ("See https://evil.example/x?y=1 now", "See now"),
        ("Buy at www.shop.example today", "Buy at today"),
        ("Write to t.me/seller", "Write to"),
        ("On shop-24.ru/cup and магазин.рф", "On and"),
        ("  A  cup\t\tturns \n\n slowly ", "A cup turns\nslowly"),
        ('Голос говорит: "Тёплая кружка".', 'Голос говорит: "Тёплая кружка".'),
        ("Shot at f/2.8 in 9:16.", "Shot at f/2.8 in 9:16."),
    ],
)
def test_clean_script(text: str, expected: str) -> None:
    assert clean_script(text) == expected


def test_a_script_that_fits_is_not_touched() -> None:
    assert fitting(GOOD, len(GOOD)) == GOOD


def test_a_long_script_ends_with_a_sentence() -> None:
    assert fitting(f"{GOOD} Steam rises in the light of the window", len(GOOD) + 10) == GOOD
    spoken = 'The voice says: "Тёплая кружка!" And then the camera rests on it'
    assert fitting(spoken, 40) == 'The voice says: "Тёплая кружка!"'


def test_a_script_is_not_cut_to_pieces() -> None:
    assert fitting("A cup. " + "x" * 100, 50) is None
    assert fitting("x" * 100, 50) is None


@given(st.text(max_size=300), st.integers(1, 200))
def test_what_fits_is_never_too_long(text: str, chars_max: int) -> None:
    fitted = fitting(text, chars_max)
    assert fitted is None or (len(fitted) <= chars_max and text.startswith(fitted))


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing_that_matters(text: str) -> None:
    assert "\x00" not in clean_script(text)


def test_scripts_must_be_enough_long_and_different() -> None:
    other = "A hand lifts the cup towards the window."
    assert wrong_with([GOOD, other], 2) is None
    assert wrong_with(["Take 1: the mug turns", "Take 2: the mug turns"], 2) is None
    assert "not 3" in (wrong_with([GOOD, other], 3) or "")
    assert "short" in (wrong_with([GOOD, "x" * (SCRIPT_CHARS_MIN - 1)], 2) or "")
    assert "missing" in (wrong_with(["None."], 1) or "")
    assert "same" in (wrong_with([GOOD, f"2. {GOOD.upper()}!"], 2) or "")


def test_what_is_asked_leaves_room() -> None:
    assert asked_chars(1_000) == 900
