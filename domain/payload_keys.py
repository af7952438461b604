"""The keys of what Temporal stores, as a setting writes them: `id:base64,id:base64`."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import SecretBytes

PLAIN: Final = "plain"
"""Instead of the first key: write readably, and still read what the keys after it encrypted."""

KEY_BYTES: Final = 32
_KEY_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PayloadKeys:
    """The one that encrypts (None: nothing does), and all that decrypt."""

    writing: str | None
    secrets: Mapping[str, SecretBytes]


def parse_payload_keys(text: str) -> PayloadKeys:
    """Raise ValueError with words that show nothing of the keys."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    named = [_named(part) for part in parts if part != PLAIN]
    secrets = dict(named)
    if len(secrets) != len(named):
        raise ValueError("names two keys alike")
    if PLAIN in parts[1:]:
        raise ValueError(f"{PLAIN} is instead of the first key")
    writes_plain = not parts or parts[0] == PLAIN
    return PayloadKeys(None if writes_plain else named[0][0], secrets)


def _named(part: str) -> tuple[str, SecretBytes]:
    key_id, colon, encoded = part.partition(":")
    if not colon or not _KEY_ID.fullmatch(key_id) or key_id == PLAIN:  # without a colon it may be the key
        raise ValueError("is not a list of id:key")
    try:
        secret = base64.b64decode(encoded.translate(_URL_SAFE), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"the key {key_id} is not base64") from None
    if len(secret) != KEY_BYTES:
        raise ValueError(f"the key {key_id} has {len(secret)} bytes instead of {KEY_BYTES}")
    return key_id, SecretBytes(secret)


_URL_SAFE: Final = str.maketrans("-_", "+/")
