"""What administrators read of broken invariants, with as much of everything as there can be."""

from domain.actions import Card
from domain.invariants import Broken, BrokenRule, Rule
from domain.orders import Language
from texts import invariant_cards

IDS_MAX = 10


def invariant_screens(language: Language) -> list[Card]:
    full = {rule: broken(rule, 1_000_000) for rule in Rule}
    one = {Rule.WALLETS: broken(Rule.WALLETS, 1)}
    return [
        invariant_cards.news(language, full, full),
        invariant_cards.news(language, one, {}),
        invariant_cards.news(language, {}, one),
    ]


def broken(rule: Rule, count: int) -> BrokenRule:
    subject = "<charge of somebody & others>" * 5
    return BrokenRule(rule, count, tuple(Broken(rule, subject) for _ in range(min(count, IDS_MAX))))
