from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio

from standins.server import running
from standins.telegram.app import build_app
from store.database import Database
from tests.bot.chat import Person, RunningBot, running_bot


@pytest_asyncio.fixture
async def telegram_base(tmp_path: Path) -> AsyncIterator[str]:
    async with running(build_app(tmp_path / "telegram")) as base:
        yield base


@pytest_asyncio.fixture
async def http(telegram_base: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=telegram_base, timeout=20) as client:
        yield client


@pytest_asyncio.fixture
async def bot(database: Database, telegram_base: str) -> AsyncIterator[RunningBot]:
    async with running_bot(database, telegram_base) as started:
        yield started


@pytest_asyncio.fixture
async def ann(bot: RunningBot, http: httpx.AsyncClient) -> Person:
    assert bot.parts.price_credits == 1
    return await Person.join(http, 501)
