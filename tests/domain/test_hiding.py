"""A secret is taken out of a text in every form somebody may repeat it in."""

import base64
from urllib.parse import quote

import pytest

from domain.hiding import Hider

SECRET = "123456:AAF+/=secret-half~x"


@pytest.mark.parametrize(
    "repeated",
    [
        SECRET,
        quote(SECRET, safe=""),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        *(
            base64.b64encode(f"{before}{SECRET}{after}".encode()).decode()
            for before in ("", "x", "xy", "Bearer ")
            for after in ("", "!", "!!")
        ),
        base64.urlsafe_b64encode(f"k:{SECRET}".encode()).decode(),
    ],
)
def test_every_form_is_hidden(repeated: str) -> None:
    hidden = Hider([SECRET]).hide(f"before {repeated} after")
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")
    assert "***" in hidden
    longest_left = max(map(len, hidden.removeprefix("before ").removesuffix(" after").split("***")))
    assert longest_left <= 12, hidden


def test_the_longer_secret_wins_over_its_part() -> None:
    assert Hider(["abcdefgh", "abcdefgh-and-more"]).hide("x abcdefgh-and-more y") == "x *** y"


def test_short_words_and_nothing_stay() -> None:
    assert Hider(["kie", ""]).hide("kie is there, 6b6965") == "kie is there, 6b6965"
    assert Hider([]).hide("anything") == "anything"


def test_patterns_are_hidden_beside_secrets() -> None:
    assert Hider([], [r"\d{3}"]).hide("a 123 b") == "a *** b"
