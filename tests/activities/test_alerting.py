"""Failures by the dozen are a handful of messages, and none of them is forgotten."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest_asyncio
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities import contracts
from activities.alerting import AlertActivities
from activities.contracts import Alert
from clients.telegram import TelegramClient
from domain.policy import OrderPolicy
from store.database import Database
from store.ledger import Ledger
from store.stores import build_stores
from store.users import Users
from tests.fixtures.kie_rows import START, HandClock, add_user, add_videos, keys_of
from tests.standins.telegram_parts import TOKEN, Person, Standin, telegram

KLING = "kling-2.6/image-to-video"
SEEDANCE = "bytedance/seedance-1.5-pro"


@dataclass
class Rig:
    standin: Standin
    admins: list[Person]
    database: Database
    clock: HandClock
    activities: AlertActivities
    users: Users
    sent: int = 0
    sellers: int = 0

    async def alert(self, alert: Alert, activity_id: str = "") -> None:
        """Each of its own activity, unless it is a later try of the same."""
        self.sent += 1
        env = ActivityEnvironment()
        env.info = replace(env.info, activity_id=activity_id or f"activity-{self.sent}")
        await env.run(self.activities.alert_admins, alert)

    async def failed(self, failure_class: str, video_model: str, count: int = 1) -> list[Alert]:
        self.sellers += 1
        user_id = await add_user(self.database, 1_000_000 + self.sellers)
        video_ids = [(await add_videos(self.database, user_id))[0] for _ in range(count)]
        async with self.database.connection() as connection:
            await connection.executemany(
                """insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state,
                                         raw_answer, admitted_at)
                   values ($1 || '-a1', $1, $2, 1, $3, 'a', 'a-key1', 'REJECTED', '{"msg": "<odd>"}', $4)""",
                [(video_id, user_id, video_model, START) for video_id in video_ids],
            )
        return [
            Alert(failure_class=failure_class, order_id=each[:20], video_id=each, attempt_id=f"{each}-a1")
            for each in video_ids
        ]

    async def read(self, person: int = 0) -> list[str]:
        shown: list[dict[str, Any]] = (await self.admins[person].messages())["messages"]
        return [str(message["text"]) for message in shown if message["from_bot"]]


@pytest_asyncio.fixture
async def rig(database: Database, tmp_path: Path) -> AsyncIterator[Rig]:
    clock = HandClock()
    async with telegram(tmp_path / "telegram") as standin:
        admins = [await standin.person("Boss"), await standin.person("Шеф", "ru")]
        users = Users(database, Ledger(database, clock), clock, 0)
        await users.register(admins[0].id, "en")
        await users.register(admins[1].id, "ru")
        stores = build_stores(database, clock, OrderPolicy(), keys_of("a", "b"))
        client = TelegramClient(SecretStr(TOKEN), standin.url, 5)
        ids = tuple(admin.id for admin in admins)
        activities = AlertActivities(client, stores, users, ids)
        yield Rig(standin, admins, database, clock, activities, users)
        await client.close()


async def test_fifty_failures_are_one_message_and_their_number_the_next(rig: Rig) -> None:
    alerts = await rig.failed("UNKNOWN", KLING, 50)
    await asyncio.gather(*(rig.alert(alert) for alert in alerts))
    (told,) = await rig.read()
    assert "UNKNOWN" in told
    assert '{"msg": "<odd>"}' in told
    assert f"video model: {KLING}" in told
    rig.clock.forward(601)
    await rig.alert((await rig.failed("UNKNOWN", KLING))[0])
    _, second = await rig.read()
    assert "and 49 more" in second
    assert "и ещё 49" in (await rig.read(1))[1]


async def test_an_hour_of_everything_failing_is_not_a_flood(rig: Rig) -> None:
    """Three classes at two video models, once a minute each: at most one message a minute."""
    kinds = [
        (await rig.failed(failure_class, video_model, 1))[0]
        for failure_class in ("UNKNOWN", "BAD_REQUEST", "RESULT")
        for video_model in (KLING, SEEDANCE)
    ]
    for minute in range(60):
        before = len(await rig.read())
        for alert in kinds:
            await rig.alert(alert)
        assert len(await rig.read()) - before <= 1, minute
        rig.clock.forward(61)
    assert len(await rig.read()) <= 6 * 6
    for alert in kinds:
        assert any(alert.failure_class in text for text in await rig.read())


async def test_what_concerns_an_account_is_told_at_once_and_once_an_hour(rig: Rig) -> None:
    (unknown,) = await rig.failed("UNKNOWN", KLING)
    await rig.alert(unknown)
    for _ in range(5):
        await rig.alert((await rig.failed("BILLING", KLING))[0])
        await rig.alert(Alert(failure_class=contracts.OUTAGE_ALERT, order_id="x"))
    classes = [text.split("\n")[0] for text in await rig.read()]
    assert sorted(each[2:] for each in classes) == ["BILLING", "OUTAGE", "UNKNOWN"]
    rig.clock.forward(3_601)
    await rig.alert((await rig.failed("BILLING", SEEDANCE))[0])
    assert "and 4 more" in (await rig.read())[-1]


async def test_low_money_is_told_once_a_day_and_of_each_account(rig: Rig) -> None:
    for _ in range(3):
        for account in ("a", "b"):
            await rig.alert(Alert(failure_class=contracts.LOW_BALANCE_ALERT, account=account))
        rig.clock.forward(3_600)
    first, second = await rig.read()
    assert "KIE account a: 0 KIE credits left" in first
    assert "KIE account b" in second
    rig.clock.forward(86_400)
    await rig.alert(Alert(failure_class=contracts.LOW_BALANCE_ALERT, account="a"))
    assert len(await rig.read()) == 3


async def test_a_refused_key_is_told_beside_what_else_the_account_has(rig: Rig) -> None:
    await rig.alert((await rig.failed("BILLING", KLING))[0])
    await rig.alert(Alert(failure_class="BILLING", account="a", key_id="a-key1"))
    assert len(await rig.read()) == 2


async def test_one_that_was_cut_off_is_sent_by_its_next_try(rig: Rig, database: Database) -> None:
    (alert,) = await rig.failed("UNKNOWN", KLING)
    await rig.alert(alert, "the same")
    async with database.connection() as connection:
        claimed = "update alerts set claimed_by = 'test/test-run/the same' where cause like 'UNKNOWN%'"
        await connection.execute(claimed)
    info = ActivityEnvironment.default_info()
    assert (info.workflow_id, info.workflow_run_id) == ("test", "test-run")
    await rig.alert(alert, "the same")
    assert len(await rig.read()) == 2
    await rig.alert(alert, "the same")
    assert len(await rig.read()) == 2


async def test_an_admin_who_blocked_the_bot_keeps_nothing_from_the_other(rig: Rig) -> None:
    await rig.admins[0].does("block")
    await rig.alert((await rig.failed("UNKNOWN", KLING))[0])
    assert len(await rig.read(1)) == 1


async def test_one_that_reached_nobody_is_sent_again_later(rig: Rig) -> None:
    for admin in rig.admins:
        await admin.does("block")
    await rig.alert(Alert(failure_class=contracts.LOW_BALANCE_ALERT, account="a"))
    for admin in rig.admins:
        await admin.does("unblock")
    rig.clock.forward(301)
    await rig.alert(Alert(failure_class=contracts.LOW_BALANCE_ALERT, account="a"))
    assert "KIE account a" in (await rig.read())[-1], "though the next one was due tomorrow"
