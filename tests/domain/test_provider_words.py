"""What of a provider's answer may stand in Temporal."""

import pytest

from domain.provider_words import CHARS_MAX, provider_words

PROMPT = "Маша, 34 года, держит кружку «Alma» и улыбается. Phone +7 900 000-00-00, slowly turn it."


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Too many requests, please try again later.", "Too many requests, please try again later."),
        ("  two\n lines\t here ", "two lines here"),
        ("'input.prompt' is required", "'input.prompt' is required"),
        ('The text "two old ladies" is not allowed', 'The text "…" is not allowed'),
        ("Failed to fetch https://files.example/photo.jpg?x=1 now", "Failed to fetch … now"),
        ("", ""),
    ],
)
def test_it_is_short_and_quotes_nobody(said: str, kept: str) -> None:
    assert provider_words(said, PROMPT) == kept


@pytest.mark.parametrize(
    "said",
    [
        f"Your prompt violates our policy: {PROMPT}",
        f"Rejected ({PROMPT.upper()})",
        f"{PROMPT[:45]} ... and {PROMPT[45:]} are sensitive",
        "sensitive: phone +7 900 000-00-00",
        "the word 'slowly' is forbidden",
        'the word "Alma" is a brand',
    ],
)
def test_what_a_person_wrote_is_left_out(said: str) -> None:
    kept = provider_words(said, PROMPT).lower()
    assert "…" in kept
    for private in ("900 000", "держит кружку", "улыбается", "slowly", "alma"):
        assert private not in kept


def test_a_flood_is_cut() -> None:
    assert len(provider_words("x y " * 100_000, PROMPT * 20)) == CHARS_MAX


def test_letters_whose_lower_case_is_longer() -> None:
    assert (
        provider_words("İİİ said no: İstanbul is lovely today", "İSTANBUL IS LOVELY")
        == "İİİ said no: … today"
    )
