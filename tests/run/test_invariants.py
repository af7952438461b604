"""A worker on real servers: a row changed by hand is told to the admins, shown as a metric, and mended."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from temporalio.client import Client

from local.processes import free_port
from local.standins import Service, made_up_credentials
from local.temporal import TemporalServer, connect
from store.database import Database
from tests.run.programs import line_with, started
from tests.standins.telegram_parts import TOKEN, Person, telegram
from tests.store.order_rows import rows_of
from tests.stories.seller import soon
from workflows.namespace import prepare_namespace
from workflows.start import ensure_schedules

MADE_UP = made_up_credentials(frozenset(Service), {})
TIME_SCALE = 0.05  # a check every three seconds
TOLD_AFTER_SECONDS_MAX = 120 * TIME_SCALE  # where the machine itself loses no time
PATIENCE = 60.0  # of a machine that is shared


@asynccontextmanager
async def worker(settings: dict[str, str]) -> AsyncIterator[None]:
    process = await started("worker_main.py", settings=settings)
    await line_with(process.stderr, "serving")
    drained = asyncio.create_task(process.communicate())  # a full pipe would stop it
    try:
        yield
    finally:
        process.terminate()
        await drained


async def metric(port: int, name: str) -> float:
    async with httpx.AsyncClient(timeout=60) as http:
        shown = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    found = re.search(rf"^{name}.* ([0-9.e+]+)$", shown, re.MULTILINE)
    return float(found.group(1)) if found else -1.0


async def seen(person: Person, *words: str) -> list[str]:
    shown = [str(message["text"]) for message in (await person.messages())["messages"]]
    return [text for text in shown if all(word in text for word in words)]


async def seconds_between_checks(client: Client) -> float:
    described = await client.get_schedule_handle("invariants").describe()
    (interval,) = described.schedule.spec.intervals
    return interval.every.total_seconds()


@pytest.mark.timeout(600)
async def test_a_wallet_changed_by_hand(
    database: Database, database_url: str, owner_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    namespace, port = f"check-{uuid4().hex[:6]}", free_port()
    client = await connect(temporal_server.address, namespace)
    await prepare_namespace(client)
    user = await rows_of(database).users.register(77, "en")
    owner = await asyncpg.connect(owner_url)
    async with telegram(tmp_path / "telegram") as standin:
        boss = await standin.person("Boss")
        settings = {
            **MADE_UP,
            "BOT_TOKEN": TOKEN,
            "TELEGRAM_API_BASE": standin.url,
            "ADMIN_TG_IDS": str(boss.id),
            "DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": temporal_server.address,
            "TEMPORAL_NAMESPACE": namespace,
            "MEDIA_URL": tmp_path.as_uri(),
            "TIME_SCALE": str(TIME_SCALE),
            "METRICS_PORT": str(port),
        }
        async with worker(settings):
            await ensure_schedules(client, TIME_SCALE)
            rule = 'neurocards_broken_invariants[{].*rule="I1".*[}]'
            at = "neurocards_invariants_checked_timestamp_seconds"

            async def checked(broken: int) -> bool:
                return await metric(port, rule) == broken

            async def checked_lately() -> bool:
                return abs(time.time() - await metric(port, at)) < PATIENCE

            await soon(checked_lately, "a first check", PATIENCE)
            assert await checked(0)
            assert await seconds_between_checks(client) <= TOLD_AFTER_SECONDS_MAX / 2
            await owner.execute("update wallets set available = available + 1 where user_id = $1", user.id)
            await soon(lambda: seen(boss, "I1", f"\n{user.id}\n"), "the alert", PATIENCE)
            await soon(lambda: checked(1), "the metric", PATIENCE)
            await asyncio.sleep(3 * 3)
            assert len(await seen(boss, "must always be true")) == 1, "said once"
            await owner.execute("update wallets set available = available - 1 where user_id = $1", user.id)
            await soon(lambda: seen(boss, "True again", f"\n{user.id}"), "that it is mended", PATIENCE)
            await soon(lambda: checked(0), "the metric", PATIENCE)
    await owner.close()
    async for schedule in await client.list_schedules():
        await client.get_schedule_handle(schedule.id).delete()
