"""A secret in all the forms somebody may repeat it in: an echoed header, an address, a dump."""

import base64
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

HIDDEN: Final = "***"
_SECRET_CHARACTERS_MIN: Final = 6  # anything shorter would blot out ordinary words
_BASE64_GROUP: Final = 3
_BITS_PER_BASE64: Final = 6


def forms_of(secret: str) -> set[str]:
    """As it is, in an address, in base64 wherever it begins there, and in hex."""
    if len(secret) < _SECRET_CHARACTERS_MIN:
        return set()
    said = secret.encode()
    spoken = {secret, quote(secret, safe=""), said.hex(), said.hex().upper()}
    shifted = {_in_base64(said, shift) for shift in range(_BASE64_GROUP)}
    return spoken | shifted | {form.translate(_URL_SAFE) for form in shifted}


def _in_base64(said: bytes, shift: int) -> str:
    """What of it stays the same, whatever stands before and after it."""
    first = -(-shift * 8 // _BITS_PER_BASE64)
    last = (shift + len(said)) * 8 // _BITS_PER_BASE64
    return base64.b64encode(b" " * shift + said).decode()[first:last]


_URL_SAFE: Final = str.maketrans("+/", "-_")


class Hider:
    """Takes secrets out of a text before anybody keeps it."""

    def __init__(self, secrets: Iterable[str], more_patterns: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in forms_of(secret)}
        longest_first = sorted((re.escape(form) for form in forms), key=len, reverse=True)
        patterns = [*longest_first, *more_patterns]
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def hide(self, text: str, shown: str = HIDDEN) -> str:
        return text if self._pattern is None else self._pattern.sub(shown, text)
