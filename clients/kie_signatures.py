"""The signature KIE puts on its callbacks. It covers the KIE task id and the time, not the body."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Final

from pydantic import SecretStr

SIGNATURE_AGE_SECONDS_MAX: Final = 300


def callback_signature(secret: SecretStr, kie_task_id: str, timestamp: str) -> str:
    signed = f"{kie_task_id}.{timestamp}".encode()
    digest = hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def signature_fits(
    secret: SecretStr, kie_task_id: str, timestamp: str, signature: str, now: datetime
) -> bool:
    """Compare in constant time. Without a secret there is nothing to compare with, and all fits."""
    if not secret.get_secret_value():
        return True
    if not timestamp.isdecimal() or abs(now.timestamp() - int(timestamp)) > SIGNATURE_AGE_SECONDS_MAX:
        return False
    expected = callback_signature(secret, kie_task_id, timestamp)
    return hmac.compare_digest(expected.encode(), signature.encode())
