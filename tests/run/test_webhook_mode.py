"""Bots as programs behind one webhook: killed, stopped, switched."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import httpx
import pytest

from local.balancer import balancing
from local.processes import free_port
from local.standins import Service, Standin, made_up_credentials
from store.database import Database
from tests.bot.chat import Person
from tests.bot.test_feeder import fault
from tests.bot.webhook_bots import hook, until, until_set
from tests.run.programs import ended, line_with, started

pytestmark = pytest.mark.timeout(600)  # several bots start in each test

Bot = asyncio.subprocess.Process

MADE_UP = made_up_credentials(frozenset(Service), {})
WEBHOOK = {
    "TELEGRAM_UPDATES": "webhook",
    "TELEGRAM_WEBHOOK_SECRET": "a-long-random-word",
    "KIE_WEBHOOK_SECRET": "another-long-random-word",
}
ANN = 501


@pytest.fixture
async def http(telegram_standin: Standin) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=telegram_standin.url, timeout=20, trust_env=False) as client:
        (await client.post("/control/reset")).raise_for_status()
        yield client
        (await client.post("/control/reset")).raise_for_status()


@pytest.fixture
def settings(database_url: str, telegram_standin: Standin) -> dict[str, str]:
    """Temporal is away all the time: bots do not need it to talk."""
    return {
        **MADE_UP,
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": "127.0.0.1:9",
        "TELEGRAM_API_BASE": telegram_standin.url,
        "LOG_FORMAT": "json",
    }


async def serving_bot(settings: Mapping[str, str]) -> Bot:
    bot = await started("bot_main.py", settings=settings)
    await line_with(bot.stderr, '"serving"')
    return bot


@asynccontextmanager
async def bots(
    settings: Mapping[str, str], http: httpx.AsyncClient, count: int = 2
) -> AsyncIterator[list[Bot]]:
    async with AsyncExitStack() as stack:
        ports = [free_port() for _ in range(count)]
        url = await stack.enter_async_context(balancing([f"http://127.0.0.1:{port}" for port in ports]))
        known = {**settings, **WEBHOOK, "PUBLIC_BASE_URL": url}
        running = await asyncio.gather(*(serving_bot({**known, "WEB_PORT": str(port)}) for port in ports))
        await until_set(http, url)
        yield list(running)
        for bot in running:
            if bot.returncode is None:
                bot.send_signal(signal.SIGTERM)
        await asyncio.gather(*(bot.communicate() for bot in running))


async def test_two_programs_walk_one_dialog_and_leave_the_webhook_when_they_end(
    settings: dict[str, str], http: httpx.AsyncClient, database: Database
) -> None:
    ann = await Person.join(http, ANN)
    async with bots(settings, http) as running:
        (card,) = await ann.to_step("confirm")
        assert card["kind"] == "photo"
        await ann.press("Generate")
    assert [bot.returncode for bot in running] == [0, 0]
    assert (await hook(http))["url"]
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from orders") == 1


async def test_what_a_killed_bot_was_at_is_done_by_another(
    settings: dict[str, str], http: httpx.AsyncClient, database: Database
) -> None:
    """TIME_SCALE makes the lease 5 s; what the killed one had sent may show up too."""
    hurried = {**settings, "TIME_SCALE": "0.1"}
    ann = await Person.join(http, ANN)
    async with bots(hurried, http) as running:
        await ann.text("/start")
        await fault(http, "sendMessage", kind="delay", delay_seconds=10, times=1)
        await ann.do("text", text="/balance")
        await ann.do("text", text="/help")
        await until(lambda: _leased(database), 60)
        for bot in running:
            bot.kill()
        await asyncio.gather(*(bot.wait() for bot in running))
    async with bots(hurried, http, count=1):
        answers = [each["text"] for each in await ann.answers()]
        others = [text for text in answers if "How it works" not in text]
        assert len(answers) == len(others) + 1
        assert others[0] == answers[0]
        assert all("3 credits" in text for text in others)


async def test_a_bot_that_is_asked_to_end_finishes_what_it_has_begun(
    settings: dict[str, str], http: httpx.AsyncClient, database: Database
) -> None:
    ann = await Person.join(http, ANN)
    async with bots(settings, http, count=1) as (bot,):
        await ann.text("/start")
        await fault(http, "sendMessage", kind="delay", delay_seconds=10, times=1)
        await ann.do("text", text="/balance")
        await until(lambda: _leased(database), 60)
        bot.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(bot.wait(), 60) == 0
        shown = [each["text"] for each in await ann.messages() if each["from_bot"]]
        assert "3 credits" in shown[-1]
        await until(partial(_nothing_pending, http), 60)
        assert await _leased(database) is None


async def test_from_webhook_to_polling_and_back_by_a_restart_alone(
    settings: dict[str, str], http: httpx.AsyncClient
) -> None:
    ann = await Person.join(http, ANN)
    async with bots(settings, http, count=1):
        await ann.text("/start")
    await ann.do("text", text="/balance")
    polling = await serving_bot({**settings, "WEB_PORT": "0"})
    (balance,) = await ann.answers()
    assert "3 credits" in balance["text"]
    polling.send_signal(signal.SIGTERM)
    _, log = await polling.communicate()
    assert polling.returncode == 0
    assert b"webhook removed, since TELEGRAM_UPDATES is polling" in log
    await ann.do("text", text="/help")
    async with bots(settings, http, count=1):
        (help_card,) = await ann.answers()
        assert "How it works" in help_card["text"]


async def test_a_port_telegram_never_posts_to_is_refused_by_name() -> None:
    refused = await ended(
        "bot_main.py", settings={**MADE_UP, **WEBHOOK, "PUBLIC_BASE_URL": "https://bot.example.com:8088"}
    )
    assert refused.code == 2
    assert refused.err.startswith("PUBLIC_BASE_URL: Telegram posts updates to the ports 443, 80, 88, 8443")


async def _nothing_pending(http: httpx.AsyncClient) -> bool:
    """The bot's last answer goes through the balancer, which may need a moment more than its end."""
    return not (await hook(http))["pending"]


async def _leased(database: Database) -> str | None:
    """Who holds Ann's chat now."""
    async with database.connection() as connection:
        holder: str | None = await connection.fetchval(
            "select holder from chat_leases where chat_id = $1 and until > now()", ANN
        )
    return holder
