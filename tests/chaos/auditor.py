"""Whether everything that was promised is true, asked of the outside services' own records and of the rows.

It knows nothing of the product: the questions are written anew, in SQL and over the stand-ins' HTTP, and what
a user saw is known by the pictures in the films, not by ids of ours.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.chaos import audit_rules
from tests.chaos.audit_rules import Evidence, Rule, answered_by_sql
from tests.chaos.audit_sql import QUERIES
from tests.chaos.records import read_books, read_kie, read_telegram, read_workflows

PROMISES: Final[dict[str, str]] = {
    "accepted orders ended": "Every order that was accepted, as its user read or the ledger says, has ended.",
    "captured is seen once": "Every video that was paid for was seen by its user, whole and exactly once.",
    "refunded and told": "Every video that was not delivered gave its price back, and its user was told.",
    "films belong": "Nobody sees a film that was not made for him.",
    "nothing given away": "No video that was refunded is seen.",
    "I1": "Wallets and every entry's balance equal the sums of the entries, and are never below zero.",
    "I2": "Every closed video of a reserved order is settled exactly once, for its price.",
    "I3": "Delivered or waiting means captured, failed or cancelled means refunded.",
    "I4": "An attempt has one KIE task at most, and none is sent beside one that may have bought.",
    "I5": "Every payment has one entry, and one more if it went back.",
    "I6": "No video is open past its deadline.",
    "bought once": "KIE billed no video twice, unless the attempt before bought nothing.",
    "lost answers found": "Every task KIE made is known to the attempt that asked for it, or counted.",
    "Stars once": "Every payment Telegram knows is credited once, every refund taken back once.",
    "sums": "Given + bought - captured - taken is what is available, for each user and for all.",
    "told balances": "The last balance a user read is one he had at that time.",
    "I7": "No secret stands in the database or in a history.",
}

_RULES: Final[dict[str, Rule]] = {
    "accepted orders ended": audit_rules.accepted_orders_ended,
    "captured is seen once": audit_rules.captured_seen_once,
    "refunded and told": audit_rules.refunded_and_told,
    "films belong": audit_rules.films_belong,
    "nothing given away": audit_rules.nothing_given_away,
    "bought once": audit_rules.bought_once,
    "lost answers found": audit_rules.lost_answers_found,
    "Stars once": audit_rules.stars_once,
    "told balances": audit_rules.told_balances,
    "I7": audit_rules.secrets_kept,
    **{name: answered_by_sql(name) for name in QUERIES},
}


@dataclass(frozen=True)
class AuditPlaces:
    """`database_url` may read every table; an empty `temporal_address` is not asked."""

    database_url: str
    telegram_url: str
    kie_url: str
    openai_url: str
    temporal_address: str


@dataclass(frozen=True)
class Violation:
    promise: str
    ids: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True)
class AuditReport:
    """`checked` counts for each promise what it was asked of; `excused` what it allows for, and why."""

    violations: list[Violation]
    checked: dict[str, int] = field(default_factory=dict)
    excused: dict[str, int] = field(default_factory=dict)


async def audit(places: AuditPlaces, secrets: Sequence[str] = ()) -> list[Violation]:
    return (await audit_with_counts(places, secrets)).violations


async def audit_with_counts(places: AuditPlaces, secrets: Sequence[str] = ()) -> AuditReport:
    return judge(await gather_evidence(places, secrets))


async def gather_evidence(places: AuditPlaces, secrets: Sequence[str] = ()) -> Evidence:
    telegram, kie, (books, leaks), workflows = await asyncio.gather(
        read_telegram(places.telegram_url),
        read_kie(places.kie_url),
        read_books(places.database_url, QUERIES, secrets),
        read_workflows(places.temporal_address, secrets),
    )
    return Evidence(telegram, kie, books, workflows, leaks, len(secrets))


def judge(evidence: Evidence) -> AuditReport:
    violations: list[Violation] = []
    checked: Counter[str] = Counter()
    excused: Counter[str] = Counter()
    for promise in PROMISES:
        verdicts = list(_RULES[promise](evidence))
        checked[promise] = len(verdicts)
        excused.update(f"{promise}: {each.excuse}" for each in verdicts if each.excuse)
        violations += [Violation(promise, each.ids, each.wrong) for each in verdicts if each.wrong]
    return AuditReport(violations, dict(checked), dict(excused))
