import pytest
from pydantic import SecretStr

from clients.kie_callbacks import callback_is_ours, callback_token, callback_url, callback_url_is_ours

pytestmark = pytest.mark.unit

SECRET = SecretStr("callback secret")
ATTEMPT = "0123456789abcdef0123-v1-a1"


def test_the_token_of_an_attempt_is_its_own() -> None:
    assert callback_is_ours(SECRET, ATTEMPT, callback_token(SECRET, ATTEMPT))
    assert not callback_is_ours(SECRET, f"{ATTEMPT}0", callback_token(SECRET, ATTEMPT))
    assert not callback_is_ours(SecretStr("another"), ATTEMPT, callback_token(SECRET, ATTEMPT))


@pytest.mark.parametrize("token", ["", "0", "ы" * 64, "é"])
def test_strange_tokens_are_refused_without_a_crash(token: str) -> None:
    assert not callback_is_ours(SECRET, ATTEMPT, token)


def test_without_a_secret_nothing_is_ours() -> None:
    empty = SecretStr("")
    assert not callback_is_ours(empty, ATTEMPT, callback_token(empty, ATTEMPT))


def test_the_address_is_ours_under_any_public_base() -> None:
    url = callback_url("https://bot.example.com/", SECRET, ATTEMPT)
    assert url == f"https://bot.example.com/kie/{ATTEMPT}/{callback_token(SECRET, ATTEMPT)}"
    assert callback_url_is_ours(SECRET, ATTEMPT, url)
    assert callback_url_is_ours(SECRET, ATTEMPT, url.replace("bot.example.com", "elsewhere.example:8443"))


@pytest.mark.parametrize("url", ["", "nothing", "https://x/kie//", f"https://x/kie/{ATTEMPT}/00"])
def test_other_addresses_are_not(url: str) -> None:
    assert not callback_url_is_ours(SECRET, ATTEMPT, url)
