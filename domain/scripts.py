"""What GPT writes is data: cleaned, measured and compared before a video model reads it."""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from domain.failures import FailureReason

SCRIPT_CHARS_MIN: Final = 3  # the least any video model takes
_PLACEHOLDER: Final = "none"  # what GPT is told to write where the photo is of no use
_ASKED_CHARS_MAX: Final = 1_800  # more words than a clip of some seconds can follow
_ASKED_SHARE: Final = 0.9  # writers miss a limit by some characters
_KEPT_SHARE_MIN: Final = 0.6

_LINK: Final = re.compile(
    r"\b(?:https?://|www\.)\S+|\b(?:t\.me|wa\.me|vk\.com)/\S+"
    r"|\b[\w-]+\.(?:com|net|org|ru|рф|shop|store|site|online)\b(?:/\S*)?",
    re.IGNORECASE,
)
_SPACES: Final = re.compile(r"[^\S\n]+")
_SENTENCE_END: Final = re.compile(r"[.!?…][\"”»']?(?=\s|$)")


class PhotoStatus(StrEnum):
    """What GPT sees in the photo. Anything but OK and nothing is bought."""

    OK = "ok"
    NO_PRODUCT = "no_product"
    BLURRED = "blurred"
    COVERED = "covered"

    @property
    def reason(self) -> FailureReason:
        return FailureReason.NONE if self is PhotoStatus.OK else FailureReason(self.value)


def asked_chars(prompt_chars_max: int) -> int:
    """How long a script we ask for, so that what comes back still fits."""
    return min(int(prompt_chars_max * _ASKED_SHARE), _ASKED_CHARS_MAX)


def clean_script(text: str) -> str:
    """Without control characters, links, and runs of spaces."""
    lines = (_SPACES.sub(" ", line).strip() for line in _LINK.sub("", visible(text)).split("\n"))
    return "\n".join(line for line in lines if line)


def visible(text: str) -> str:
    """Without what steers a terminal, turns the reading direction, or is there and not seen."""
    return "".join(each for each in text if each == "\n" or _printable(each))


def _printable(char: str) -> bool:
    return char == "\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def fitting(script: str, chars_max: int) -> str | None:
    """The script, or most of it up to a sentence's end; None where that would cut too much."""
    if len(script) <= chars_max:
        return script
    ends = [each.end() for each in _SENTENCE_END.finditer(script[:chars_max])]
    if not ends or ends[-1] < _KEPT_SHARE_MIN * chars_max:
        return None
    return script[: ends[-1]]


def wrong_with(scripts: Sequence[str], count: int) -> str | None:
    """Why these are not `count` different scripts; None when they are."""
    if len(scripts) != count:
        return f"{len(scripts)} scripts, not {count}"
    if any(len(script) < SCRIPT_CHARS_MIN for script in scripts):
        return "a script is too short"
    if any(_essence(script) == _PLACEHOLDER for script in scripts):
        return "a script is missing"
    if len({_essence(script) for script in scripts}) < count:
        return "two scripts are the same"
    return None


def _essence(script: str) -> str:
    """Two scripts that differ in case, punctuation or a number in front are one idea."""
    words = re.findall(r"[^\W_]+", script.casefold())
    return " ".join(words[1:] if words[:1] and words[0].isdigit() else words)
