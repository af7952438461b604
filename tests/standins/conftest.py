from collections.abc import AsyncIterator

import httpx
import pytest

from standins.kie.app import kie_app
from standins.kie.orders import KieSettings
from standins.server import running
from tests.standins.kie_parts import KEYS, Receiver, Rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    receiver = Receiver()
    settings = KieSettings(generation_seconds=0.05, callback_retry_seconds=0.05, queries_max=1000)
    async with (
        running(receiver.app()) as receiver.url,
        running(kie_app(settings, KEYS)) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        yield Rig(http, receiver)
