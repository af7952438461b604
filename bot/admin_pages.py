"""What administrators look at. Each page is a card; None: there is no such page."""

import re
from dataclasses import replace
from datetime import date
from typing import Final

from bot.turn import Turn
from clients.kie_wire import said_in
from domain.actions import Card
from domain.figures import PastFailure, UserFacts
from domain.provider_words import provider_words
from store.switches import MAINTENANCE
from texts import admin_cards

TG_USER_ID: Final = r"[1-9][0-9]{0,15}"

_SWITCHED: Final = {"on": True, "off": False}


async def panel(turn: Turn) -> Card:
    maintenance = await turn.parts.switches.is_on(MAINTENANCE)
    return admin_cards.panel(turn.language, maintenance=maintenance)


async def find(turn: Turn) -> Card:
    return admin_cards.sentence(turn.language, "admin-find")


async def today(turn: Turn) -> Card:
    return await _day(turn, turn.parts.statistics.today())


async def day(turn: Turn, text: str) -> Card | None:
    shown = _day_of(text)
    if shown is None or not admin_cards.FIRST_DAY <= shown <= turn.parts.statistics.today():
        return None
    return await _day(turn, shown)


async def _day(turn: Turn, shown: date) -> Card:
    statistics = turn.parts.statistics
    return admin_cards.day(turn.language, shown, statistics.today(), await statistics.day(shown))


async def user(turn: Turn, text: str) -> Card | None:
    """Looking is a deed too: it is written down before anything is shown."""
    if not re.fullmatch(TG_USER_ID, text):
        return None
    facts = await turn.parts.statistics.user(int(text))
    if facts is None:
        return nobody(turn, int(text))
    await turn.parts.audit.looked(turn.user.tg_user_id, facts.tg_user_id)
    return admin_cards.user(turn.language, _fit_to_show(facts))


def _fit_to_show(facts: UserFacts) -> UserFacts:
    """What the provider answered, without the words of people that it repeats."""
    failures = tuple([replace(each, said=_said(each)) for each in facts.failures])
    return replace(facts, failures=failures)


def _said(failure: PastFailure) -> str:
    words = provider_words(said_in(failure.raw_answer), failure.prompt)
    return " ".join(filter(None, (failure.said, words)))


def nobody(turn: Turn, tg_user_id: int) -> Card:
    return admin_cards.sentence(turn.language, "admin-nobody", user=str(tg_user_id))


async def accounts(turn: Turn) -> Card:
    statuses = await turn.parts.accounts.statuses()
    resting = await turn.parts.accounts.model_marks()
    return admin_cards.accounts(turn.language, turn.parts.clock(), statuses, resting)


async def maintenance(turn: Turn, text: str) -> Card | None:
    """Every process reads the switch where it matters, so all of them obey at once."""
    if text not in _SWITCHED:
        return None
    await turn.parts.audit.switch(turn.user.tg_user_id, MAINTENANCE, is_on=_SWITCHED[text])
    return await panel(turn)


def _day_of(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
