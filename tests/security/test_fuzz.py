"""1,000 requests at a bot's web server that must change nothing: no row, no workflow, no call to anybody."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
import pytest
from pydantic import SecretStr

from bot.app import build_feeder
from bot.webhook import Inbox
from clients.telegram_webhooks import SECRET_HEADER, WEBHOOK_PATH, webhook_digest
from domain import ids
from domain.clock import utc_now
from store.database import Database
from tests.bot.webhook_bots import SECRET, parts_over
from tests.fixtures.kie_rows import add_user, add_videos
from tests.security.fuzzing import Fuzzed, Fuzzer, Known, request
from tests.web.serving import serving
from web.health import HealthRoutes, Readiness
from web.kie_callback import KieCallbackRoute
from web.server import build_app
from web.telegram_webhook import TelegramWebhookRoute
from workflows.start import Delivered

SEED, COUNT, AT_ONCE = 20261121, 1_000, 20
GROWTH_BYTES_MAX = 60_000_000
PATIENCE_SECONDS = 20.0
HALF_SENT = ("framing", "no_http")
CALLBACK_SECRET = SecretStr("another-long-random-word")
EVE = 666


@dataclass
class Bot:
    origin: str
    signals: list[tuple[str, str]] = field(default_factory=list)
    known: Known | None = None

    async def statuses(self, requests: list[Fuzzed]) -> list[tuple[str, int | None]]:
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(fuzzed: Fuzzed) -> tuple[str, int | None]:
            async with turns:
                patience_seconds = 1.0 if fuzzed.kind in HALF_SENT else PATIENCE_SECONDS
                return fuzzed.kind, await status_of(self.origin, fuzzed.content, patience_seconds)

        return list(await asyncio.gather(*(one(each) for each in requests)))


async def status_of(origin: str, content: bytes, patience_seconds: float = PATIENCE_SECONDS) -> int | None:
    """None where nothing is answered: more is waited for, or the connection was just closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(origin.rpartition(":")[2]))
    answer = b""
    with suppress(OSError):
        async with asyncio.timeout(patience_seconds):
            writer.write(content)
            await writer.drain()
            answer = await reader.read(4_096)
    writer.close()
    words = answer.split(b" ", 2)
    return int(words[1]) if words[0].startswith(b"HTTP/1.") else None


@pytest.fixture
async def bot(database: Database, database_url: str, telegram_base: str) -> AsyncIterator[Bot]:
    first, second = await add_videos(database, await add_user(database, 501), 2)
    known = Known(
        SECRET, CALLBACK_SECRET, ids.attempt_id(first, 1), ids.attempt_id(second, 1), EVE, utc_now()
    )
    bot = Bot("", known=known)

    async def signal(attempt_id: str, kie_task_id: str) -> Delivered:
        bot.signals.append((attempt_id, kie_task_id))
        return Delivered.DELIVERED

    async def ready() -> Readiness:
        return Readiness()

    async with parts_over(database_url, telegram_base) as parts:
        inbox = Inbox(parts, build_feeder(parts))
        telegram = TelegramWebhookRoute(webhook_digest(SECRET), SECRET, inbox.receive)
        callback = KieCallbackRoute(CALLBACK_SECRET, signal, CALLBACK_SECRET)
        async with serving(build_app(callback, HealthRoutes(ready), telegram)) as bot.origin:
            yield bot


async def digest(database: Database) -> dict[str, str]:
    """Of all rows there are."""
    async with database.connection() as connection:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' order by 1"
        )
        return {
            name: await connection.fetchval(
                f"select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {name} t"  # noqa: S608 - a table's own name
            )
            for (name,) in tables
        }


async def calls(http: httpx.AsyncClient) -> list[Any]:
    return list((await http.get("/control/journal")).json()["entries"])


async def test_a_thousand_requests_change_nothing(
    bot: Bot, database: Database, http: httpx.AsyncClient
) -> None:
    assert bot.known is not None
    requests = list(Fuzzer(SEED, bot.known).requests(COUNT))
    assert requests == list(Fuzzer(SEED, bot.known).requests(COUNT))
    before, called = await digest(database), await calls(http)
    memory = psutil.Process().memory_info().rss
    statuses = await bot.statuses(requests)
    grown = psutil.Process().memory_info().rss - memory
    counted = Counter(statuses)
    assert [each for each in counted if each[1] is not None and each[1] >= 500] == []
    assert {kind for kind, status in statuses if status == 200} <= {
        *("unreadable_update", "impossible_numbers", "kind_of_nobody"),  # acknowledged: they would come again
    }, counted
    assert (await digest(database), await calls(http), bot.signals) == (before, called, [])
    assert grown < GROWTH_BYTES_MAX
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        assert (await client.get(f"{bot.origin}/health")).status_code == 200


async def test_the_net_catches(bot: Bot, database: Database, http: httpx.AsyncClient) -> None:
    """The same update with the right secret, and the same callback with the right token, do have effects."""
    assert bot.known is not None
    fuzzer = Fuzzer(SEED, bot.known)
    before, called = await digest(database), await calls(http)
    headers = [(SECRET_HEADER, SECRET.get_secret_value())]
    path = f"{WEBHOOK_PATH}/{webhook_digest(SECRET)}"
    good = request("POST", path, headers, json.dumps(fuzzer._update()).encode())
    assert await status_of(bot.origin, good) == 200
    assert await digest(database) != before
    assert len(await calls(http)) > len(called)
    assert await status_of(bot.origin, request("POST", fuzzer._callback(), [], fuzzer._success())) == 200
    assert len(bot.signals) == 1


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
@pytest.mark.parametrize("name", ["from", "message_id", "date"])
async def test_numbers_that_no_row_holds_are_acknowledged(bot: Bot, name: str, number: int) -> None:
    assert bot.known is not None
    update = Fuzzer(SEED, bot.known)._update()
    if name == "from":
        update["message"]["from"]["id"] = number
    else:
        update["message"][name] = number
    headers = [(SECRET_HEADER, SECRET.get_secret_value())]
    path = f"{WEBHOOK_PATH}/{webhook_digest(SECRET)}"
    assert await status_of(bot.origin, request("POST", path, headers, json.dumps(update).encode())) == 200
