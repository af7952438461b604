"""A provider that repeats our request in its refusal: what becomes of it holds no secret, in any form."""

import base64
from collections.abc import Awaitable
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from clients.kie import KieClient, KieError
from clients.openai import OpenAiError, OpenAiFailed, Pictures, ScriptWriter
from clients.telegram import TelegramClient, TelegramError
from domain.actions import Card
from domain.keys import KeyRef, KieKey
from tests.clients.raw_http import http_json, raw_server

SECRET = "1234567890:AAFonly-the-owner-knows-it"
HALF = "AAFonly-the-owner"


def repeated() -> str:
    header = f"Bearer {SECRET}"
    encoded = base64.b64encode(header.encode()).decode()
    return f"Authorization: {header} /bot{quote(SECRET, safe='')}/x {encoded} {header.encode().hex()}"


def everything_in(error: BaseException) -> str:
    """Message, fields and what is chained to it as a failure would be; not the cause, which is cut off."""
    return f"{error} {vars(error)}"


def assert_hidden(text: str) -> None:
    middle = base64.b64encode(f"Bearer {SECRET}".encode()).decode()[12:40]
    for form in (HALF, middle, HALF.encode().hex()):
        assert form not in text


async def raised(call: Awaitable[Any], kind: type[Exception]) -> str:
    with pytest.raises(kind) as error:
        await call
    return everything_in(error.value)


@pytest.mark.parametrize(("status", "code"), [(200, 500), (200, 777), (401, 401)])
async def test_kie(status: int, code: int) -> None:
    async with raw_server(http_json(status, {"code": code, "msg": repeated()})) as server:
        key = KieKey(KeyRef("key1", "alpha"), SecretStr(SECRET))
        kie = KieClient(
            [key], api_base=server.origin, upload_base=server.origin, webhook_secret=SecretStr("")
        )
        text = await raised(kie.record("key1", "task1"), KieError)
        await kie.aclose()
    assert "Authorization" in text
    assert_hidden(text)


async def test_openai_even_in_its_error_code() -> None:
    """The code is what goes on into Temporal's histories."""
    error = {"error": {"message": repeated(), "code": SECRET, "type": repeated()}}
    async with raw_server(http_json(400, error)) as server:
        writer = ScriptWriter(SecretStr(SECRET), base_url=f"{server.origin}/v1", model="gpt-5-mini")
        text = await raised(writer.moderate("", Pictures(b"\xff\xd8")), OpenAiError)
        await writer.aclose()
    assert "Authorization" in text
    assert_hidden(text)


async def test_a_sentence_of_openai_is_no_code() -> None:
    error = {"error": {"message": "no", "code": f"you said {'x' * 100}"}}
    async with raw_server(http_json(400, error)) as server:
        writer = ScriptWriter(SecretStr(SECRET), base_url=f"{server.origin}/v1", model="gpt-5-mini")
        with pytest.raises(OpenAiFailed) as raised_:
            await writer.moderate("", Pictures(b"\xff\xd8"))
        await writer.aclose()
    assert raised_.value.failure.code == "400"


@pytest.mark.parametrize("code", [400, 403, 404])
async def test_telegram(code: int) -> None:
    said = {"ok": False, "error_code": code, "description": f"Bad Request: {repeated()}"}
    async with raw_server(http_json(code, said)) as server:
        telegram = TelegramClient(SecretStr(SECRET), server.origin)
        text = await raised(telegram.send_text(1, Card("hello")), TelegramError)
        await telegram.close()
    assert "Bad Request" in text
    assert_hidden(text)
