from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
import structlog
from structlog.dev import ConsoleRenderer, plain_traceback

from standins.server import running
from standins.telegram.app import build_app
from store.database import Database
from tests.bot.chat import ADMIN_ID, Person, RunningBot, running_bot


@pytest.fixture(scope="session", autouse=True)
def short_tracebacks() -> Iterator[None]:
    """structlog's own show every variable of every frame: the bot stands still for as long as that takes."""
    before = structlog.get_config()
    plain = ConsoleRenderer(exception_formatter=plain_traceback)
    structlog.configure(processors=[*before["processors"][:-1], plain])
    yield
    structlog.configure(**before)


@pytest_asyncio.fixture(scope="session")
async def telegram_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with running(build_app(tmp_path_factory.mktemp("telegram"))) as base:
        yield base


@pytest_asyncio.fixture
async def http(telegram_server: str) -> AsyncIterator[httpx.AsyncClient]:
    """The stand-in's controls, with nothing left of the test before."""
    async with httpx.AsyncClient(base_url=telegram_server, timeout=60) as client:
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


@pytest.fixture
def ann_id() -> int:
    return 501


@pytest_asyncio.fixture
async def ann(bot: RunningBot, http: httpx.AsyncClient, ann_id: int) -> Person:
    assert bot.parts.price_credits == 1
    return await Person.join(http, ann_id)


@pytest_asyncio.fixture
async def boss(bot: RunningBot, http: httpx.AsyncClient) -> Person:
    assert ADMIN_ID in bot.parts.shop.admins
    return await Person.join(http, ADMIN_ID)
