"""What a provider answered, as an engineer reads it in Temporal: short, and without what people wrote."""

import re
from difflib import SequenceMatcher
from typing import Final

CHARS_MAX: Final = 160
LEFT_OUT: Final = "…"
_READ_CHARS_MAX: Final = 600
_COMMON_CHARS_MAX: Final = 12  # a longer run that a person wrote too is his, not the provider's
_LINK: Final = re.compile(r"\S+://\S+")
_QUOTED: Final = re.compile(r"""(["'`«“‘])(.{1,300}?)(["'`»”’])""")
_FIELD_NAME: Final = re.compile(r"[a-zA-Z][\w.\[\]-]{0,40}")


def provider_words(said: str, written_by_people: str = "") -> str:
    """Providers like to repeat what they refuse: their quotations are left out, and any run of his text."""
    text = _LINK.sub(LEFT_OUT, " ".join(said[:_READ_CHARS_MAX].split()))
    people = _even_lower(" ".join(written_by_people.split()))
    text = _QUOTED.sub(lambda found: _quotation(found, people), text)
    return _without_runs(text, people)[:CHARS_MAX]


def _quotation(found: re.Match[str], people: str) -> str:
    """The name of a field stays: it is what a refusal is about."""
    opened, inside, closed = found.groups()
    is_name = _FIELD_NAME.fullmatch(inside) is not None and inside.lower() not in people
    return found.group() if is_name else f"{opened}{LEFT_OUT}{closed}"


def _without_runs(text: str, people: str) -> str:
    """Each removal makes it shorter, so this ends."""
    while True:
        run = SequenceMatcher(None, _even_lower(text), people, autojunk=False).find_longest_match()
        if run.size <= _COMMON_CHARS_MAX:
            return text
        text = f"{text[: run.a]}{LEFT_OUT}{text[run.a + run.size :]}"


def _even_lower(text: str) -> str:
    """Lower case of the same length, whatever alphabet."""
    return "".join(lower if len(lower := each.lower()) == 1 else each for each in text)
