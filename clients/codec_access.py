"""Who may have payloads decrypted: whoever knows the token, or has the cookie that was given for it."""

import hashlib
import hmac
from datetime import datetime
from typing import Final

from pydantic import SecretStr

COOKIE_SECONDS: Final = 12 * 3600
_BEARER: Final = "Bearer "


def token_fits(token: SecretStr, said: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(token.get_secret_value().encode(), said.encode())


def authorization_fits(token: SecretStr, authorization: str) -> bool:
    return authorization.startswith(_BEARER) and token_fits(token, authorization.removeprefix(_BEARER))


def cookie_for(token: SecretStr, now: datetime) -> str:
    """It holds until when it is good, and nothing that it could be made again from."""
    until = str(int(now.timestamp()) + COOKIE_SECONDS)
    return f"{until}.{_signature(token, until)}"


def cookie_fits(token: SecretStr, cookie: str, now: datetime) -> bool:
    until, _, signature = cookie.partition(".")
    signed = hmac.compare_digest(_signature(token, until).encode(), signature.encode())
    return signed and int(until) > now.timestamp()


def _signature(token: SecretStr, until: str) -> str:
    key = token.get_secret_value().encode()
    return hmac.new(key, f"codec cookie until {until}".encode(), hashlib.sha256).hexdigest()
