"""What the bot itself tells its administrators."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import httpx

from bot.alerting import alert_admins, tell_passed_over
from bot.parts import BotParts
from domain.clock import utc_now
from store.alerts import Alerts
from store.database import Database
from tests.bot.chat import ADMIN_ID, Person, RunningBot

KEY = "alert-webhook-pending"
PAUSE = timedelta(minutes=1)


def later(parts: BotParts, database: Database, **span: float) -> BotParts:
    """As these parts will be after a while."""

    def clock() -> datetime:
        return utc_now() + timedelta(**span)

    return replace(parts, alerts=Alerts(database, clock))


async def test_the_same_cause_is_told_once_an_hour(
    bot: RunningBot, http: httpx.AsyncClient, database: Database
) -> None:
    boss = await Person.join(http, ADMIN_ID)
    await boss.text("/start")
    await asyncio.gather(*(alert_admins(bot.parts, "webhook pending", KEY, count=120) for _ in range(20)))
    (told,) = await boss.answers()
    assert "120" in told["text"]
    await alert_admins(later(bot.parts, database, hours=1.1), "webhook pending", KEY, count=200)
    (told,) = await boss.answers()
    assert "and 19 more" in told["text"]


async def test_what_nothing_followed_is_told_in_one_message_by_one_bot(
    bot: RunningBot, http: httpx.AsyncClient, database: Database
) -> None:
    boss = await Person.join(http, ADMIN_ID)
    await boss.text("/start")
    for number, cause in enumerate(("UNKNOWN:kling", "RESULT:kling", "UNKNOWN:seedance", "RESULT:kling")):
        await bot.parts.alerts.claim(cause, timedelta(minutes=10), f"s{number}", PAUSE)
    await tell_passed_over(bot.parts)
    assert await boss.answers() == []
    soon = later(bot.parts, database, minutes=2)
    await asyncio.gather(*(tell_passed_over(soon) for _ in range(4)))
    (told,) = await boss.answers()
    assert "RESULT kling: 2" in told["text"]
    assert "UNKNOWN seedance: 1" in told["text"]
    assert "UNKNOWN kling" not in told["text"]


async def test_what_reached_nobody_is_told_when_somebody_is_there(
    bot: RunningBot, http: httpx.AsyncClient, database: Database
) -> None:
    """The administrator has never pressed Start, so the bot may not write to him."""
    await alert_admins(bot.parts, "webhook pending", KEY, count=120)
    await tell_passed_over(later(bot.parts, database, minutes=6))
    boss = await Person.join(http, ADMIN_ID)
    await boss.text("/start")
    await tell_passed_over(later(bot.parts, database, minutes=12))
    assert "webhook pending: 1" in (await boss.answers())[-1]["text"]
