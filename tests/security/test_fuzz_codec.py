"""1,000 requests at the codec: nothing is opened for who may not ask, and nothing makes it stumble."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from temporalio.api.common.v1 import Payload

from clients.payload_codec import payload_codec
from tests.security.fuzzing import request
from tests.security.fuzzing_codec import DECODE, CodecFuzzer, body_of
from tests.web.serving import serving
from web.codec import CodecRoutes
from web.wrong_tries import WINDOW_SECONDS, WrongTries

SEED, COUNT, AT_ONCE = 20261121, 1_000, 20
PATIENCE_SECONDS: Final = 20.0
TOKEN: Final = "the-token-of-the-engineers-123"
UI: Final = "http://localhost:8233"
KEY: Final = "k1:" + base64.b64encode(b"k" * 32).decode()
OPENED: Final = b'{"order_id":"what-is-hidden"}'


@dataclass(frozen=True, slots=True)
class Codec:
    origin: str
    sealed: Payload

    async def answer(self, content: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.origin.rpartition(":")[2]))
        answered = b""
        with suppress(OSError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                writer.write(content)
                await writer.drain()
                answered = await reader.read(100_000)
        writer.close()
        return answered


@pytest.fixture
async def codec() -> AsyncIterator[Codec]:
    """Its clock leaps, so that nobody is locked out: each guess has to fail for itself."""
    codec = payload_codec(SecretStr(KEY))
    leaps = count()

    def clock() -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=2 * WINDOW_SECONDS * next(leaps))

    routes = CodecRoutes(codec, SecretStr(TOKEN), UI, clock, WrongTries(clock))
    (sealed,) = await codec.encode([Payload(metadata={"encoding": b"json/plain"}, data=OPENED)])
    async with serving(Starlette(routes=routes.routes())) as origin:
        yield Codec(origin, sealed)


def is_opened(answer: bytes) -> bool:
    return base64.b64encode(OPENED) in answer or OPENED in answer


async def test_a_thousand_requests_open_nothing(codec: Codec) -> None:
    fuzzer = CodecFuzzer(SEED, TOKEN, UI, codec.sealed)
    requests = list(fuzzer.requests(COUNT))
    assert requests == list(CodecFuzzer(SEED, TOKEN, UI, codec.sealed).requests(COUNT))
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(content: bytes) -> bytes:
        async with turns:
            return await codec.answer(content)

    answers = await asyncio.gather(*(one(each.content) for each in requests))
    statuses = Counter(
        (each.kind, answer[9:12].decode()) for each, answer in zip(requests, answers, strict=True)
    )
    assert {status for kind, status in statuses if kind == "wrong_token"} <= {"400", "401", "403"}, statuses
    assert {status for kind, status in statuses if kind == "wrong_origin"} == {"403"}, statuses
    assert {status for kind, status in statuses if kind == "unreadable_payloads"} <= {"200", "400", "413"}
    assert not any(map(is_opened, answers))


async def test_the_net_catches(codec: Codec) -> None:
    """The same payload, asked for by an engineer."""
    headers = [("authorization", f"Bearer {TOKEN}"), ("origin", UI)]
    answer = await codec.answer(request("POST", DECODE, headers, body_of(codec.sealed)))
    assert is_opened(answer)
