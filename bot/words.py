"""What people write, as it can be kept."""

import unicodedata
from typing import Final

_KEPT_CONTROLS: Final = "\n\t"


def cleaned(text: str) -> str:
    """PostgreSQL takes no NUL and no half characters; people write neither."""
    whole = text.encode("utf-8", errors="ignore").decode("utf-8")
    return "".join(
        sign for sign in whole if sign in _KEPT_CONTROLS or unicodedata.category(sign) != "Cc"
    ).strip()


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
