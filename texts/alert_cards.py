"""What went wrong, for those who can mend it."""

from collections.abc import Mapping
from typing import Final

from domain.actions import Card
from domain.orders import Language
from texts import label, say
from texts.cards import shortened

_RAW_UNITS_MAX: Final = 500
_CAUSES_MAX: Final = 40

_FACTS: Final = {
    "order": "admin-fact-order",
    "video": "admin-fact-video",
    "attempt": "admin-fact-attempt",
    "account": "admin-fact-account",
    "key": "admin-fact-key",
    "video_model": "admin-fact-model",
}


def alert(
    language: Language, failure_class: str, facts: Mapping[str, str], raw: str, passed_over: int = 0
) -> Card:
    """`passed_over`: how many of the same kind were not told since the last one."""
    shown = "\n".join(f"{label(language, _FACTS[name])}: {value}" for name, value in facts.items() if value)
    answer = shortened(raw, _RAW_UNITS_MAX) or label(language, "admin-alert-no-answer")
    text = say(language, "admin-alert", **{"class": failure_class}, facts=shown, raw=answer)
    return Card(_with_more(language, text, passed_over))


def low_balance(language: Language, account: str, balance: float, spent_in_a_day: float) -> Card:
    amounts = {"balance": f"{balance:.0f}", "spent": f"{spent_in_a_day:.0f}"}
    return Card(say(language, "admin-low-balance", account=account, **amounts))


def notice(language: Language, key: str, passed_over: int, **args: str | int) -> Card:
    """A sentence of one of the other rooms."""
    return Card(_with_more(language, say(language, key, **args), passed_over))


def passed_over(language: Language, causes: Mapping[str, int]) -> Card:
    lines = [
        say(language, "admin-alert-cause", cause=cause.replace(":", " ").strip(), count=count)
        for cause, count in sorted(causes.items())
    ]
    return Card("\n".join([say(language, "admin-alert-passed-over"), *lines[:_CAUSES_MAX]]))


def _with_more(language: Language, text: str, count: int) -> str:
    return "\n".join([text, say(language, "admin-alert-more", count=count)]) if count else text
