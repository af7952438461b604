"""What a script must not hold, whoever talked the writer into it: it goes to a video model, and is filmed."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from domain.scripts import visible

_WORD_CHARS_MAX: Final = 60  # longer is no word: a code, a key, something encoded
_LEAK_WORDS: Final = 9  # so many of our own words in a row are no chance

_TOP_LEVEL: Final = (
    "com|net|org|info|biz|io|me|app|dev|xyz|top|link|click|live|shop|store|site|online|pro|club|page|space|"
    "tv|cc|gg|ai|co|uk|de|fr|eu|us|ru|su|by|kz|ua|uz|kg|cn|tk|example|test|invalid|onion"
    "|рф|б[е]л|қ[а]з"
)
_LINK: Final = re.compile(
    rf"\b[a-z][a-z0-9+.-]{{1,15}}:\s*//|\b(?:mailto|tel|javascript|data|tg|ton)\s*:\s*\S"
    rf"|\bwww\s*\.\s*\w|\bh\s*t\s*t\s*p\s*s?\b"
    rf"|\b[\w-]+\s*(?:\[\s*(?:\.|dot)\s*\]|\(\s*(?:\.|dot)\s*\)|\{{\s*(?:\.|dot)\s*\}})\s*\w"
    rf"|[\w-]+\.(?:{_TOP_LEVEL})\b|\b[\w-]+\.[a-z]{{2,}}/\S|\bt\s*\.\s*me\b"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b",
    re.IGNORECASE,
)
_HANDLE: Final = re.compile(r"@\s*(?!\d+\s?(?:fps|mm|hz)\b)\w", re.IGNORECASE)  # "50mm @ 24 fps" is nobody
_MARKUP: Final = re.compile(
    r"<\s*[/!a-z][^<]*>?|&(?:#\d+|#x[0-9a-f]+|lt|gt|amp|quot);|\]\s*\(|```|\{\{|\$\{", re.IGNORECASE
)
_PHONE: Final = re.compile(r"\+?\d(?:[\s().-]{0,3}\d){9,}")
_ABOUT_ITSELF: Final = re.compile(
    r"system prompt|developer message|photo_status|my instructions|these instructions|previous instructions"
    r"|as an ai\b|language model",
    re.IGNORECASE,
)
_PILED_MARKS: Final = re.compile(r"[\u0300-\u036f\u0489\u20d0-\u20ff]{3,}")
_WORDS: Final = re.compile(r"[^\W_]+")

# Letters that look like Latin ones: an address written with them reads, and leads, like an address.
_ODD: Final = "а в е к м н о р с т у х і ј ѕ ԁ һ ӏ α ε ι κ ν ο ρ τ υ χ"
_LATIN: Final = "a b e k m h o p c t y x i j s d h l a e i k n o p t u x"
_LOOKALIKES: Final = str.maketrans(
    {
        **dict(zip(_ODD.split(), _LATIN.split(), strict=True)),
        **dict.fromkeys("。．｡․‧∙·", "."),
        **dict.fromkeys("⁄∕╱／", "/"),
    }
)


def trouble_in(script: str, instructions: str) -> str | None:
    """A code that says what is wrong; None: nothing."""
    for text in _readings(script):
        found = next((code for code, pattern in _PATTERNS.items() if pattern.search(text)), None)
        if found is not None:
            return found
    if any(len(word) > _WORD_CHARS_MAX for word in visible(script).split()):
        return "script_holds_a_code"
    return "script_repeats_its_instructions" if _repeats(script, instructions) else None


_PATTERNS: Final = {
    "script_holds_a_link": _LINK,
    "script_holds_a_handle": _HANDLE,
    "script_holds_markup": _MARKUP,
    "script_holds_a_number_to_call": _PHONE,
    "script_speaks_of_itself": _ABOUT_ITSELF,
    "script_holds_piled_marks": _PILED_MARKS,
}


def _readings(script: str) -> Iterator[str]:
    """As it is written, as it folds, and as it looks. Dots are folded in an address, not in prose."""
    shown = visible(script)
    yield shown
    folded = unicodedata.normalize("NFKC", shown)
    yield folded
    yield unicodedata.normalize("NFKC", shown.translate(_LOOKALIKES)).casefold().translate(_LOOKALIKES)


def _repeats(script: str, instructions: str) -> bool:
    ours = _runs(instructions)
    return bool(ours & _runs(script))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORDS.findall(unicodedata.normalize("NFKC", visible(text)).casefold())
    return {tuple(words[start : start + _LEAK_WORDS]) for start in range(len(words) - _LEAK_WORDS + 1)}
