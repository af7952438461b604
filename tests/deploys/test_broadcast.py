"""Workers killed in the middle of a broadcast, in bad weather: Telegram's books say who got it how often."""

import asyncio
import json
import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from temporalio.client import Client, WorkflowHandle

from domain.broadcasts import Broadcast, BroadcastState
from domain.clock import utc_now
from local.standins import Service, made_up_credentials
from local.temporal import TemporalServer, connect
from store.broadcasts import Broadcasts
from store.database import Database
from tests.histories.files import payloads_in
from tests.run.programs import Ended, ended, line_with, started
from tests.standins.telegram_parts import TOKEN, Person, Standin, telegram
from tests.stories.seller import soon
from workflows.namespace import prepare_namespace

MADE_UP = made_up_credentials(frozenset(Service), {})
USERS = int(os.environ.get("BROADCAST_USERS", "120"))  # 300 take some minutes
BLOCKED = 5
WEATHER = {"seed": 7, "share": 0.2, "kinds": ["answer_429", "drop_answer"], "where": ["sendMessage"]}
RU, EN = "Новый шаблон: <b>реклама</b>", "A new template: <b>advertisement</b>"
PATIENCE = 400.0  # every 429 is a pause of one to three seconds for all


@dataclass
class Place:
    standin: Standin
    settings: dict[str, str]
    broadcasts: Broadcasts
    database_url: str
    people: list[Person]

    async def admin(self, *arguments: str) -> Ended:
        return await ended("admin_main.py", "broadcast", *arguments, settings=self.settings)

    async def begin(self) -> str:
        begun = await self.admin("start", "--ru", RU, "--en", EN, "--yes", "--by", "tests")
        assert begun.code == 0, begun.err
        (broadcast,) = await self.broadcasts.latest(1)
        return broadcast.id

    async def sent(self, broadcast_id: str, at_least: int) -> bool:
        found = await self.broadcasts.find(broadcast_id)
        return found.sent >= at_least or found.state is not BroadcastState.RUNNING

    async def received(self) -> dict[int, int]:
        """By Telegram's books: user, how often."""
        books = (await self.standin.http.get("/control/records")).json()
        texts = [
            (each["chat_id"], each["versions"][-1]["text"]) for each in books["messages"] if each["from_bot"]
        ]
        return {person.id: sum(each == (person.id, EN) for each in texts) for person in self.people}

    async def who_is(self, state: str) -> set[int]:
        connection = await asyncpg.connect(self.database_url)
        rows = await connection.fetch(
            "select u.tg_user_id from broadcast_messages m join users u on u.id = m.user_id"
            " where m.state = $1",
            state,
        )
        await connection.close()
        return {row["tg_user_id"] for row in rows}


@asynccontextmanager
async def worker(settings: dict[str, str], role: str) -> AsyncIterator[Process]:
    process = await started("worker_main.py", "--role", role, settings=settings)
    await line_with(process.stderr, "serving")
    drained = asyncio.create_task(process.communicate())  # a full pipe would stop it
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await drained


@asynccontextmanager
async def place(
    database: Database, database_url: str, temporal: TemporalServer, folder: Path
) -> AsyncIterator[tuple[Place, Client]]:
    namespace = f"broadcast-{uuid4().hex[:6]}"
    client = await connect(temporal.address, namespace)
    await prepare_namespace(client)
    async with telegram(folder / "telegram") as standin:
        people = [await standin.person(f"P{n}", started=False) for n in range(USERS)]
        for person in people:
            await person.does("text", text="/start")
        async with database.connection() as connection:
            await connection.executemany(
                "insert into users (tg_user_id, tg_language, created_at) values ($1, 'en', $2)",
                [(person.id, utc_now()) for person in people],
            )
        settings = {
            **MADE_UP,
            "BOT_TOKEN": TOKEN,
            "TELEGRAM_API_BASE": standin.url,
            "DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": temporal.address,
            "TEMPORAL_NAMESPACE": namespace,
            "MEDIA_URL": folder.as_uri(),
            "TIME_SCALE": "0.1",
        }
        yield Place(standin, settings, Broadcasts(database, utc_now), database_url, people), client


async def killed_again_and_again(here: Place, broadcast_id: str) -> int:
    """Each one dies while it sends; the next one takes over. How many died."""
    stages = [USERS * part // 10 for part in (1, 3, 5, 7)]
    for sent in stages:
        async with worker(here.settings, "telegram") as process:
            await soon(partial(here.sent, broadcast_id, sent), f"{sent} sent", PATIENCE)
            process.kill()
    return len(stages)


@pytest.mark.timeout(900)
async def test_killed_senders_and_bad_weather(
    database: Database, database_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    async with (
        place(database, database_url, temporal_server, tmp_path) as (here, client),
        worker(here.settings, "orders"),
    ):
        for person in here.people[100 : 100 + BLOCKED]:
            await person.does("block")
        (await here.standin.http.post("/control/weather", json=WEATHER)).raise_for_status()
        broadcast_id = await here.begin()
        kills = await killed_again_and_again(here, broadcast_id)
        async with worker(here.settings, "telegram"):
            result = await client.get_workflow_handle(f"broadcast-{broadcast_id}").result()
        found, received = await here.broadcasts.find(broadcast_id), await here.received()
        await audit(here, found, received)
        print(f"{kills} workers killed; {found.sent} sent, {found.blocked} blocked, {found.unknown} unknown")  # noqa: T201 - a figure
        assert result["outcome"] == "done"
        shown = await here.admin("progress")
        assert f"{found.sent} have it" in shown.out
        assert f"{found.unknown} may have it" in shown.out


async def audit(here: Place, found: Broadcast, received: dict[int, int]) -> None:
    unknown = await here.who_is("UNKNOWN")
    assert max(received.values()) == 1, "nobody twice"
    without = {user for user, times in received.items() if not times}
    blocked = {person.id for person in here.people[100 : 100 + BLOCKED]}
    assert blocked <= without
    assert without - blocked <= unknown, "nobody is left out but whose sending had no answer"
    assert found.blocked == BLOCKED - len(blocked & unknown), "whose refusal got lost is unknown"
    assert (found.failed, found.unknown) == (0, len(unknown))
    assert found.sent == USERS - BLOCKED - len(unknown - blocked)
    assert found.sent <= sum(received.values())


async def no_text_in(handle: WorkflowHandle[Any, Any]) -> None:
    """Nor in what describes it."""
    history = (await handle.fetch_history()).to_json()
    readable = "\n".join([history, *payloads_in(json.loads(history))])
    assert "send_broadcast" in readable
    assert not [words for words in (RU, EN, "advertisement") if words in readable]


@pytest.mark.timeout(600)
async def test_a_cancel_is_obeyed_within_seconds(
    database: Database, database_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    # Slow enough for whoever cancels: his program has to start before everybody has it.
    slowly = {"where": "sendMessage", "times": -1, "kind": "delay_answer", "delay_seconds": 4}
    async with place(database, database_url, temporal_server, tmp_path) as (here, client):
        await here.standin.order_fault(**slowly)
        broadcast_id = await here.begin()
        again = await here.admin("start", "--ru", RU, "--en", EN, "--yes", "--by", "tests")
        assert (again.code, broadcast_id in again.err) == (1, True), "one at a time"
        async with worker(here.settings, "orders,telegram"):
            await soon(partial(here.sent, broadcast_id, 10), "10 sent", PATIENCE)
            cancelled = await here.admin("cancel", broadcast_id, "--yes", "--by", "tests")
            assert cancelled.code == 0, cancelled.err
            handle = client.get_workflow_handle(f"broadcast-{broadcast_id}")
            result = await asyncio.wait_for(handle.result(), 60)
        await no_text_in(handle)
        received = await here.received()
        assert result["outcome"] == "cancelled"
        assert sum(received.values()) == result["sent"] < USERS
        repeated = await here.admin("cancel", broadcast_id, "--yes", "--by", "tests")
        assert repeated.code == 1
        assert "ended already" in repeated.err
        assert (await here.admin("list")).out.count("cancelled") == 1
