"""The address KIE calls back: only KIE and we know the token in it, and nothing secret is stored."""

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

CALLBACK_PATH: Final = "/kie"


def callback_token(secret: SecretStr, attempt_id: str) -> str:
    return hmac.new(secret.get_secret_value().encode(), attempt_id.encode(), hashlib.sha256).hexdigest()


def callback_is_ours(secret: SecretStr, attempt_id: str, token: str) -> bool:
    """Compare in constant time. Without a secret nothing is ours: anybody could sign with it."""
    if not secret.get_secret_value():
        return False
    return hmac.compare_digest(callback_token(secret, attempt_id).encode(), token.encode())


def callback_url(public_base_url: str, secret: SecretStr, attempt_id: str) -> str:
    base = public_base_url.rstrip("/")
    return f"{base}{CALLBACK_PATH}/{attempt_id}/{callback_token(secret, attempt_id)}"


def callback_url_is_ours(secret: SecretStr, attempt_id: str, url: str) -> bool:
    """Whether a URL that KIE shows was made for this attempt, under whichever public address."""
    parts = urlsplit(url).path.split("/")
    return parts[-2:-1] == [attempt_id] and callback_is_ours(secret, attempt_id, parts[-1])
