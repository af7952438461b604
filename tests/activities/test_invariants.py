"""What is broken is one message to each admin, in his language, and not one a minute."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest_asyncio
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.admins import Admins
from activities.contracts import Nothing
from activities.invariants import InvariantActivities, InvariantNews
from activities.payloads import CheckInvariants, InvariantReport
from clients.telegram import TelegramClient
from domain.clock import utc_now
from store.database import Database
from store.invariants import Invariants
from store.ledger import Ledger
from store.users import Users
from tests.fixtures.kie_rows import HandClock
from tests.standins.telegram_parts import TOKEN, Person, Standin, telegram


@dataclass
class Rig:
    standin: Standin
    admins: list[Person]
    owner: asyncpg.Connection
    clock: HandClock
    activities: InvariantActivities
    news: InvariantNews

    async def check(self) -> InvariantReport:
        wanted = CheckInvariants()
        report: InvariantReport = await ActivityEnvironment().run(self.activities.check_invariants, wanted)
        if report.has_news:
            await ActivityEnvironment().run(self.news.tell_invariants, Nothing())
        return report

    async def break_wallets(self, first: int, last: int) -> None:
        await self.owner.execute(
            """with u as (insert into users (tg_user_id, created_at)
                          select n, now() from generate_series($1::bigint, $2) n returning id)
               insert into wallets (user_id, available) select id, 5 from u""",
            first, last,
        )  # fmt: skip

    async def mend(self) -> None:
        await self.owner.execute("update wallets set available = 0 where available = 5")

    async def read(self, person: int = 0) -> list[str]:
        shown = (await self.admins[person].messages())["messages"]
        return [str(message["text"]) for message in shown if message["from_bot"]]


@pytest_asyncio.fixture
async def rig(database: Database, owner_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    clock = HandClock(utc_now())
    owner = await asyncpg.connect(owner_url)
    async with telegram(tmp_path / "telegram") as standin:
        people = [await standin.person("Boss"), await standin.person("Шеф", "ru")]
        users = Users(database, Ledger(database, clock), clock, 0)
        await users.register(people[0].id, "en")
        await users.register(people[1].id, "ru")
        client = TelegramClient(SecretStr(TOKEN), standin.url, 5)
        admins = Admins(client, users, tuple(person.id for person in people))
        rows = Invariants(database, clock)
        news = InvariantNews(rows, admins, clock)
        yield Rig(standin, people, owner, clock, InvariantActivities(rows, clock), news)
        await client.close()
    await owner.close()


async def test_a_violation_is_told_once_and_its_mending_once(rig: Rig) -> None:
    assert not (await rig.check()).has_news
    await rig.break_wallets(1_000_001, 1_000_002)
    for _ in range(5):
        report = await rig.check()
        rig.clock.forward(60)
    wallets = next(each for each in report.rules if each.rule == "I1")
    assert (wallets.broken, len(wallets.subjects), report.has_news) == (2, 2, False)
    (told,) = await rig.read()
    assert "I1 a wallet is the sum of its entries: 2" in told
    assert all(f"\n{subject}" in told for subject in wallets.subjects)
    assert "I1 кошелёк равен сумме своих записей: 2" in (await rig.read(1))[0]
    await rig.mend()
    for _ in range(3):
        await rig.check()
        rig.clock.forward(60)
    _, mended = await rig.read()
    assert mended.startswith("✅ True again")
    assert "must always be true" not in mended


async def test_thousands_are_one_message_and_more_of_them_wait(rig: Rig) -> None:
    await rig.break_wallets(1_000_000, 1_002_499)
    report = await rig.check()
    assert next(each for each in report.rules if each.rule == "I1").broken == 2_500
    assert len(report.model_dump_json()) < 2_000
    (told,) = await rig.read()
    assert "2500" in told
    assert "and 2495 more" in told
    for minute in range(9):
        await rig.break_wallets(2_000_000 + minute, 2_000_000 + minute)
        rig.clock.forward(60)
        await rig.check()
    assert len(await rig.read()) == 1
    rig.clock.forward(61)
    await rig.check()
    assert "entries: 9" in (await rig.read())[1]


async def test_one_admin_who_cannot_be_told_keeps_nothing_from_the_others(rig: Rig) -> None:
    await rig.break_wallets(1_000_000, 1_000_000)
    await rig.admins[0].does("block")
    await rig.check()
    assert len(await rig.read(1)) == 1
    assert not (await rig.check()).has_news


async def test_what_nobody_could_be_told_is_told_by_a_later_check(rig: Rig) -> None:
    """Telegram away, or everybody has blocked the bot."""
    await rig.break_wallets(1_000_000, 1_000_000)
    for admin in rig.admins:
        await admin.does("block")
    await rig.check()
    assert (await rig.check()).has_news
    for admin in rig.admins:
        await admin.does("unblock")
    await rig.check()
    assert not (await rig.check()).has_news
    assert [len(await rig.read(person)) for person in (0, 1)] == [1, 1]
