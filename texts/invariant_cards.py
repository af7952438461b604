"""What must always be true and is not, for those who can mend it."""

from collections.abc import Iterable, Mapping
from typing import Final

from domain.actions import Card
from domain.invariants import BrokenRule, Rule
from domain.orders import Language
from texts import label, say
from texts.cards import shortened

_SUBJECT_UNITS_MAX: Final = 60
_BROKEN_NAMED_MAX: Final = 5  # of each rule; all of it is one message
_MENDED_NAMED_MAX: Final = 3

_PROMISES: Final = {
    Rule.WALLETS: "invariant-wallets",
    Rule.SETTLED_ONCE: "invariant-settled",
    Rule.STATE_AND_SETTLEMENT: "invariant-state",
    Rule.BOUGHT_ONCE: "invariant-bought",
    Rule.PAYMENTS: "invariant-payments",
    Rule.DEADLINES: "invariant-deadlines",
}


def news(language: Language, broken: Mapping[Rule, BrokenRule], mended: Mapping[Rule, BrokenRule]) -> Card:
    """One message of both; of each rule all are counted and a few are named."""
    parts = [
        *_part(language, "invariants-broken", broken.values(), _BROKEN_NAMED_MAX),
        *([say(language, "invariants-how")] if broken else []),
        *_part(language, "invariants-mended", mended.values(), _MENDED_NAMED_MAX),
    ]
    return Card("\n".join(parts))


def _part(language: Language, heading: str, rules: Iterable[BrokenRule], named_max: int) -> list[str]:
    lines = [line for rule in rules for line in _lines(language, rule, named_max)]
    return [say(language, heading), *lines] if lines else []


def _lines(language: Language, rule: BrokenRule, named_max: int) -> list[str]:
    promise = label(language, _PROMISES[rule.rule])
    shown = [
        say(language, "invariants-subject", subject=shortened(subject, _SUBJECT_UNITS_MAX))
        for subject in rule.subjects[:named_max]
    ]
    more = rule.count - len(shown)
    return [
        say(language, "invariants-line", promise=promise, count=rule.count),
        *shown,
        *([say(language, "invariants-more", count=more)] if more > 0 else []),
    ]
