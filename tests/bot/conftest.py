from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from standins.server import running
from standins.telegram.app import build_app
from store.database import Database
from tests.bot.chat import ADMIN_ID, Person, RunningBot, running_bot


@pytest_asyncio.fixture(scope="session")
async def telegram_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with running(build_app(tmp_path_factory.mktemp("telegram"))) as base:
        yield base


@pytest_asyncio.fixture
async def http(telegram_server: str) -> AsyncIterator[httpx.AsyncClient]:
    """The stand-in's controls, with nothing left of the test before."""
    async with httpx.AsyncClient(base_url=telegram_server, timeout=20) as client:
        (await client.post("/control/reset")).raise_for_status()
        yield client


@pytest.fixture
def telegram_base(telegram_server: str, http: httpx.AsyncClient) -> str:
    assert str(http.base_url).startswith(telegram_server)
    return telegram_server


@pytest_asyncio.fixture
async def bot(database: Database, telegram_base: str) -> AsyncIterator[RunningBot]:
    async with running_bot(database, telegram_base) as started:
        yield started


@pytest_asyncio.fixture
async def ann(bot: RunningBot, http: httpx.AsyncClient) -> Person:
    assert bot.parts.price_credits == 1
    return await Person.join(http, 501)


@pytest_asyncio.fixture
async def boss(bot: RunningBot, http: httpx.AsyncClient) -> Person:
    assert ADMIN_ID in bot.parts.shop.admins
    return await Person.join(http, ADMIN_ID)
