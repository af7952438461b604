"""What an invoice carries through the provider and back, so that only what we offered can be bought."""

import base64
import hashlib
import hmac
from typing import Final

from pydantic import SecretStr

from domain.payments import Invoice, Package

PAYLOAD_BYTES_MAX: Final = 128

_VERSION: Final = "1"
_KEY_PURPOSE: Final = b"invoice payload"
_NO_DRAFT: Final = "-"
_SEPARATOR: Final = ":"
_FIELDS: Final = 6


class InvoiceSigner:
    """`version:payer:stars:credits:package:draft:signature`. The key comes from the bot token."""

    def __init__(self, bot_token: SecretStr) -> None:
        token = bot_token.get_secret_value().encode()
        self._key = SecretStr(hmac.new(token, _KEY_PURPOSE, hashlib.sha256).hexdigest())

    def sign(self, invoice: Invoice) -> str:
        package = invoice.package
        numbers = (invoice.tg_user_id, package.stars, package.credits)
        fields = (_VERSION, *map(str, numbers), package.id, invoice.draft_id or _NO_DRAFT)
        signed = _SEPARATOR.join(fields)
        return f"{signed}{_SEPARATOR}{self._signature(signed)}"

    def read(self, payload: str) -> Invoice | None:
        """None for anything this bot did not sign."""
        signed, _, signature = payload.rpartition(_SEPARATOR)
        expected = self._signature(signed)
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            return None
        return _invoice(signed.split(_SEPARATOR))

    def _signature(self, signed: str) -> str:
        key = self._key.get_secret_value().encode()
        digest = hmac.new(key, signed.encode(errors="replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _invoice(fields: list[str]) -> Invoice | None:
    """None for what another version signed."""
    if len(fields) != _FIELDS or fields[0] != _VERSION:
        return None
    _, payer, stars, credits_, package_id, draft_id = fields
    package = Package(package_id, int(credits_), int(stars))
    return Invoice(int(payer), package, "" if draft_id == _NO_DRAFT else draft_id)
