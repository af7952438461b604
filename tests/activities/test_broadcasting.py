"""Everybody gets it once, at Telegram's pace; who is not there is counted, and trouble stops all of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest_asyncio
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.broadcasting import SENDERS, BroadcastActivities
from activities.payloads import BroadcastProgress, BroadcastRef, SendBroadcast
from clients.telegram import TelegramClient
from domain.clock import utc_now
from domain.orders import Language
from store.broadcasts import Broadcasts
from store.database import Database
from store.ledger import Ledger
from store.limits import RateLimits
from store.pacing import PER_SECOND_MAX, Pacing
from store.users import Users
from tests.standins.telegram_parts import TOKEN, Person, Standin, telegram

TEXTS = {Language.RU: "Новый шаблон <b>«Реклама»</b> & другое", Language.EN: "A new <template> & more"}


@dataclass
class Rig:
    standin: Standin
    users: Users
    broadcasts: Broadcasts
    pacing: Pacing
    activities: BroadcastActivities

    async def people(self, count: int, language: str = "en") -> list[Person]:
        people = [await self.standin.person(f"P{n}", language) for n in range(count)]
        for person in people:
            await self.users.register(person.id, language)
        return people

    async def send(self, users_max: int = 200) -> BroadcastProgress:
        request = SendBroadcast(broadcast_id="b", users_max=users_max)
        progress: BroadcastProgress = await ActivityEnvironment().run(self.activities.send_broadcast, request)
        return progress

    async def send_all(self, tries_max: int = 20) -> BroadcastProgress:
        for _ in range(tries_max):
            progress = await self.send()
            if progress.state != "RUNNING":
                return progress
        raise AssertionError(progress)

    async def received(self) -> dict[int, list[str]]:
        books = (await self.standin.http.get("/control/records")).json()
        from_bot = [each for each in books["messages"] if each["from_bot"]]
        return {
            user["id"]: [each["versions"][-1]["text"] for each in from_bot if each["chat_id"] == user["id"]]
            for user in books["users"]
        }


@pytest_asyncio.fixture
async def rig(database: Database, tmp_path: Path) -> AsyncIterator[Rig]:
    async with telegram(tmp_path / "telegram") as standin:
        users = Users(database, Ledger(database, utc_now), utc_now, 0)
        broadcasts = Broadcasts(database, utc_now)
        pacing = Pacing(RateLimits(database, utc_now))
        client = TelegramClient(SecretStr(TOKEN), standin.url)
        yield Rig(standin, users, broadcasts, pacing, BroadcastActivities(client, broadcasts, pacing))
        await client.close()


def too_many(seconds: float) -> dict[str, Any]:
    told = f"Too Many Requests: retry after {seconds}"
    body = {"ok": False, "error_code": 429, "description": told, "parameters": {"retry_after": seconds}}
    return {"status": 429, "body": body}


def in_a_second_at_most(moments: list[datetime], seconds: float = 1.0) -> int:
    span = timedelta(seconds=seconds)
    return max(sum(first <= each < first + span for each in moments) for first in moments)


async def test_everybody_reads_it_once_in_his_language_and_as_it_was_written(rig: Rig) -> None:
    english, russian = await rig.people(3), await rig.people(2, "ru")
    await rig.broadcasts.start("b", TEXTS)
    progress = await rig.send_all()
    received = await rig.received()
    assert {person.id: received[person.id] for person in english} == {
        person.id: ["A new <template> & more"] for person in english
    }
    assert all(received[person.id] == ["Новый шаблон <b>«Реклама»</b> & другое"] for person in russian)
    assert (progress.state, progress.users_total, progress.sent, progress.unknown) == ("DONE", 5, 5, 0)


async def test_blocked_refused_and_unanswered_ones_are_counted_and_not_written_to_again(rig: Rig) -> None:
    people = await rig.people(6)
    await people[0].does("block")
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: odd"}
    await rig.standin.order_fault(where="sendMessage", user=str(people[1].id), status=400, body=refusal)
    await rig.standin.order_fault(where="sendMessage", user=str(people[2].id), kind="drop_answer")
    await rig.standin.order_fault(where="sendMessage", user=str(people[3].id), **too_many(0.3))
    await rig.broadcasts.start("b", TEXTS)
    progress = await rig.send_all()
    assert (progress.sent, progress.blocked, progress.failed, progress.unknown) == (3, 1, 1, 1)
    received = await rig.received()
    assert [len(received[person.id]) for person in people] == [0, 0, 1, 1, 1, 1]
    known = await rig.users.find(people[0].id)
    assert known is not None
    assert known.blocked


async def test_a_pause_that_telegram_asks_for_is_everybodys(rig: Rig) -> None:
    people = await rig.people(30)
    await rig.standin.order_fault(where="sendMessage", user=str(people[4].id), **too_many(8))
    await rig.broadcasts.start("b", TEXTS)
    progress = await rig.send()
    assert (progress.pause_seconds, progress.trouble) == (8, "Telegram asks for a pause")
    assert progress.sent < 5 + SENDERS
    assert await rig.pacing.notice() > 1, "of notices, too"
    begun = monotonic()
    assert (await rig.send_all()).sent == 30
    assert monotonic() - begun > 1
    assert {len(texts) for texts in (await rig.received()).values()} == {1}


async def test_not_faster_than_we_may(rig: Rig) -> None:
    await rig.people(80)
    await rig.broadcasts.start("b", TEXTS)
    assert (await rig.send_all()).sent == 80
    entries = (await rig.standin.http.get("/control/journal", params={"where": "sendMessage"})).json()
    moments = [datetime.fromisoformat(each["at"]) for each in entries["entries"]]
    assert len(moments) == 80
    # Permits are exact; the calls that follow them come a little closer together or further apart.
    assert in_a_second_at_most(moments) <= PER_SECOND_MAX + SENDERS
    assert in_a_second_at_most(moments, 3) <= 3 * PER_SECOND_MAX


async def test_a_notice_goes_out_while_everybody_is_written_to(rig: Rig) -> None:
    await rig.people(60)
    await rig.broadcasts.start("b", TEXTS)
    sending = asyncio.create_task(rig.send())
    waits = []
    for _ in range(10):
        await asyncio.sleep(0.1)
        waits.append(await rig.pacing.notice())
    await sending
    assert sorted(waits)[len(waits) // 2] == 0, waits


async def test_an_outage_costs_nobody_his_message(rig: Rig) -> None:
    await rig.people(12)
    await rig.broadcasts.start("b", TEXTS)
    nowhere = TelegramClient(SecretStr(TOKEN), "http://127.0.0.1:9", 5)
    away = BroadcastActivities(nowhere, rig.broadcasts, rig.pacing)
    request = SendBroadcast(broadcast_id="b")
    progress = await ActivityEnvironment().run(away.send_broadcast, request)
    assert (progress.trouble, progress.sent, progress.unknown) == ("Telegram cannot be reached", 0, 0)
    await nowhere.close()
    assert (await rig.send_all()).sent == 12


async def test_an_hour_without_answers_is_noticed_after_a_few(rig: Rig) -> None:
    await rig.people(40)
    await rig.standin.order_fault(where="sendMessage", times=-1, status=502, body="bad gateway")
    await rig.broadcasts.start("b", TEXTS)
    progress = await rig.send()
    assert progress.trouble == "Telegram does not answer"
    assert progress.unknown <= 5 + SENDERS
    tried = await rig.send(users_max=1)
    assert tried.unknown == progress.unknown + 1, "then it is tried with one"
    assert tried.trouble == "Telegram does not answer", "and one is enough to go on waiting"


async def test_a_bot_that_is_refused_uses_nobody_up(rig: Rig) -> None:
    await rig.people(12)
    body = {"ok": False, "error_code": 401, "description": "Unauthorized"}
    await rig.standin.order_fault(where="sendMessage", times=3, status=401, body=body)
    await rig.broadcasts.start("b", TEXTS)
    progress = await rig.send()
    assert (progress.failed, progress.unknown) == (0, 0)
    assert progress.trouble
    assert (await rig.send_all()).sent == 12


async def test_cancelled_in_the_middle_it_stops_at_once(rig: Rig) -> None:
    people = await rig.people(60)
    await rig.broadcasts.start("b", TEXTS)
    sending = asyncio.create_task(rig.send())
    while (await rig.broadcasts.find("b")).sent < 5:  # noqa: ASYNC110 - a row's state
        await asyncio.sleep(0.02)
    cancelled = await ActivityEnvironment().run(
        rig.activities.cancel_broadcast, BroadcastRef(broadcast_id="b")
    )
    progress = await asyncio.wait_for(sending, 30)
    assert progress.state == "CANCELLED"
    assert progress.sent <= cancelled.sent + SENDERS
    received = await rig.received()
    assert Counter(len(received[person.id]) for person in people)[1] == progress.sent
    assert (await rig.send()).sent == progress.sent


async def test_two_workers_at_once_write_to_nobody_twice(rig: Rig) -> None:
    """One that was taken for dead and is not."""
    people = await rig.people(50)
    await rig.broadcasts.start("b", TEXTS)
    first = asyncio.create_task(rig.send())
    await asyncio.sleep(0.5)
    second = asyncio.create_task(rig.send())
    await asyncio.gather(first, second)
    progress = await rig.send_all()
    received = await rig.received()
    assert [len(received[person.id]) for person in people] == [1] * 50
    assert (progress.sent, progress.unknown) == (50, 0), "the late answers count"
