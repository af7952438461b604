"""Checks what must always be true, and tells the administrators, once. The rows it writes are measured."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog
from temporalio import activity

from activities import contracts
from activities.admins import Admins
from activities.contracts import Nothing
from activities.payloads import CheckedRule, CheckInvariants, InvariantReport
from domain.actions import Card
from domain.clock import Clock
from domain.invariants import BrokenRule, Checked, Rule
from domain.orders import Language
from store.invariants import Invariants
from texts import invariant_cards

_IDS_IN_REPORT: Final = 5
_IDS_IN_ALERT: Final = 5
_MANY: Final = 100
_PAUSE_WHEN_MANY: Final = timedelta(minutes=10)

_log = structlog.get_logger(__name__)


class InvariantActivities:
    def __init__(self, invariants: Invariants, clock: Clock) -> None:
        self._invariants = invariants
        self._clock = clock

    @activity.defn(name=contracts.CHECK_INVARIANTS.name)
    async def check_invariants(self, wanted: CheckInvariants) -> InvariantReport:
        checked = await self._invariants.check(complete=wanted.complete, ids_max=_IDS_IN_REPORT)
        now = self._clock()
        for broken in checked.broken.values():
            _log.error("an invariant is broken", rule=broken.rule, count=broken.count, ids=broken.subjects)
        return _report(checked, now)


class InvariantNews:
    """What is told of it; another role's work than the check."""

    def __init__(self, invariants: Invariants, admins: Admins, clock: Clock) -> None:
        self._invariants = invariants
        self._admins = admins
        self._clock = clock

    @activity.defn(name=contracts.TELL_INVARIANTS.name)
    async def tell_invariants(self, _: Nothing) -> Nothing:
        """One message of everything that is new. Until it is noted that somebody had it, it is sent again."""
        news = await self._invariants.news(_IDS_IN_ALERT)
        if news.empty or await self._too_soon(news.broken):
            return Nothing()

        async def card(language: Language) -> Card:
            return invariant_cards.news(language, news.broken, news.mended)

        if await self._admins.tell(card, "invariants"):
            await self._invariants.told(news.through)
        return Nothing()

    async def _too_soon(self, broken: Mapping[Rule, BrokenRule]) -> bool:
        """A bug that breaks row after row is not a message every minute."""
        told_at = await self._invariants.told_at()
        if told_at is None or sum(each.count for each in broken.values()) == 0:
            return False
        many = await self._invariants.broken_count() > _MANY
        return many and self._clock() - told_at < _PAUSE_WHEN_MANY


def _report(checked: Checked, now: datetime) -> InvariantReport:
    previous_at = checked.previous_at or now
    return InvariantReport(
        complete=checked.complete,
        rules=tuple(
            CheckedRule(
                rule=rule.value,
                rows=checked.rows[rule],
                broken=checked.broken_count(rule),
                subjects=checked.broken[rule].subjects if rule in checked.broken else (),
            )
            for rule in Rule
        ),
        has_news=checked.has_news,
        pause_seconds=(now - previous_at).total_seconds(),
    )
