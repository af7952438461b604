"""The morning's report: each administrator reads each day once, whatever goes wrong on the way."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.admins import Admins
from activities.contracts import Nothing
from activities.payloads import DailyReportSent
from activities.reporting import ReportActivities
from clients.telegram import TelegramClient
from store.daily_reports import DailyReports
from store.database import Database
from store.ledger import Ledger
from store.users import Users
from tests.fixtures.kie_rows import START, HandClock, add_user, add_videos
from tests.standins.telegram_parts import TOKEN, Person, Standin, telegram

YESTERDAY = START.date() - timedelta(days=1)
DAY = timedelta(days=1)


@dataclass
class Rig:
    standin: Standin
    admins: list[Person]
    clock: HandClock
    database: Database
    activities: ReportActivities

    async def send(self) -> DailyReportSent:
        sent: DailyReportSent = await ActivityEnvironment().run(self.activities.send_daily_report, Nothing())
        return sent

    async def read(self, person: int = 0) -> list[str]:
        shown: list[dict[str, Any]] = (await self.admins[person].messages())["messages"]
        return [str(message["text"]) for message in shown if message["from_bot"]]


@pytest_asyncio.fixture
async def rig(database: Database, tmp_path: Path) -> AsyncIterator[Rig]:
    clock = HandClock()
    async with telegram(tmp_path / "telegram") as standin:
        admins = [await standin.person("Boss"), await standin.person("Шеф", "ru")]
        users = Users(database, Ledger(database, clock), clock, 0)
        for admin, language in zip(admins, ("en", "ru"), strict=True):
            await users.register(admin.id, language)
        client = TelegramClient(SecretStr(TOKEN), standin.url, 5)
        told = Admins(client, users, tuple(admin.id for admin in admins))
        yield Rig(standin, admins, clock, database, ReportActivities(DailyReports(database, clock), told))
        await client.close()


async def test_each_reads_it_once_in_his_language_and_the_next_day_again(rig: Rig) -> None:
    assert await rig.send() == DailyReportSent(day=YESTERDAY.isoformat(), admins=2)
    assert await rig.send() == DailyReportSent(day=YESTERDAY.isoformat(), admins=0)
    (english,), (russian,) = await rig.read(0), await rig.read(1)
    assert f"Yesterday, {YESTERDAY}" in english
    assert "There has been no backup yet" in english
    assert f"Вчера, {YESTERDAY}" in russian
    rig.clock.now += DAY
    assert (await rig.send()).admins == 2


async def test_of_a_week_without_temporal_only_yesterday_is_told(rig: Rig) -> None:
    await rig.send()
    rig.clock.now += 7 * DAY
    for _ in range(7):
        await rig.send()
    assert len(await rig.read()) == 2
    assert str(YESTERDAY + 7 * DAY) in (await rig.read())[-1]


async def test_who_surely_has_none_is_tried_again_and_the_others_are_not(rig: Rig) -> None:
    body = {"ok": False, "error_code": 429, "description": "slow", "parameters": {"retry_after": 7}}
    second = str(rig.admins[1].id)
    await rig.standin.order_fault(where="sendMessage", user=second, status=429, body=body)
    with pytest.raises(ApplicationError) as refused:
        await rig.send()
    assert refused.value.next_retry_delay == timedelta(seconds=7)
    assert (await rig.send()).admins == 1
    assert (len(await rig.read(0)), len(await rig.read(1))) == (1, 1)


async def test_whose_sending_had_no_answer_is_not_written_to_twice(rig: Rig) -> None:
    first = str(rig.admins[0].id)
    await rig.standin.order_fault(where="sendMessage", user=first, kind="drop_answer")
    await rig.send()
    await rig.send()
    assert (len(await rig.read(0)), len(await rig.read(1))) == (1, 1)


async def test_one_who_blocked_the_bot_keeps_nothing_from_the_other(rig: Rig) -> None:
    await rig.admins[0].does("block")
    assert (await rig.send()).admins == 1
    assert len(await rig.read(1)) == 1


async def test_without_administrators_there_is_nothing_to_send(database: Database) -> None:
    clock = HandClock()
    users = Users(database, Ledger(database, clock), clock, 0)
    nowhere = TelegramClient(SecretStr(TOKEN), "http://127.0.0.1:9", 5)
    activities = ReportActivities(DailyReports(database, clock), Admins(nowhere, users, ()))
    sent = await ActivityEnvironment().run(activities.send_daily_report, Nothing())
    assert sent.admins == 0


async def test_what_stands_in_it(rig: Rig, owner_url: str) -> None:
    user_id = await add_user(rig.database, 77)
    delivered, failed, opened = await add_videos(rig.database, user_id, 3)
    at = START - DAY
    owner = await asyncpg.connect(owner_url)
    await owner.execute("update orders set created_at = $1", at)
    await owner.execute(
        "update videos set state = 'DELIVERED', delivered_at = $2, closed_at = $2 where id = $1",
        delivered, at + timedelta(minutes=4),
    )  # fmt: skip
    await owner.execute(
        "update videos set state = 'FAILED', failure_class = 'TEMPORARY', closed_at = $2 where id = $1",
        failed, at + timedelta(minutes=9),
    )  # fmt: skip
    await owner.execute(
        "insert into kie_accounts (name, balance_kie_credits, balance_at) values ('alpha', 1200, $1),"
        " ('gone', 3, $1 - interval '90 days')",
        START,
    )
    await owner.execute(
        "insert into kie_keys (key_id, account, blocked_until)"
        " values ('k1', 'alpha', null), ('k2', 'alpha', $1)",
        START + DAY,
    )
    await owner.execute(
        "insert into chores (name, ended_at) values ('backup', $1)", START - timedelta(hours=30)
    )
    await owner.close()
    await rig.send()
    (text,) = await rig.read()
    for words in (
        "Orders: 1 (+1)",
        "Videos: 1 (+1) delivered, credits back for 1 (+1)",
        "TEMPORARY: 1",
        "half within 4 min 0 s",
        "Income: none",
        "KIE alpha: 1200 KIE credits left, 0 spent that day; keys that work: 1 of 2",
        "Oldest open video: 24 h",
        "What must always be true is true",
        "Last backup: 30 h ago, which is too long",
    ):
        assert words in text, text
    assert "gone" not in text
    assert opened
