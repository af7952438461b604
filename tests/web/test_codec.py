"""Who has payloads decrypted, asked as a browser and as a command line ask."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from temporalio.api.common.v1 import Payload

from bot_serving import codec_routes
from clients.codec_access import COOKIE_SECONDS
from clients.payload_codec import payload_codec
from settings import load_settings
from tests.fixtures.kie_rows import HandClock
from tests.web.serving import serving
from web.codec import COOKIE, PAYLOADS_BYTES_MAX, CodecRoutes
from web.wrong_tries import TRIES_MAX, WrongTries

TOKEN = "the-token-of-the-engineers-123"
UI = "http://localhost:8233"
KEY = "k1:" + base64.b64encode(b"k" * 32).decode()
OTHER_KEY = "k2:" + base64.b64encode(b"o" * 32).decode()
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"order_id":"o1"}')


@dataclass
class Codec:
    http: httpx.AsyncClient
    clock: HandClock

    async def decode(self, *payloads: Payload, **headers: str) -> httpx.Response:
        body = {"payloads": [as_json(payload) for payload in payloads]}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post("/codec/decode", json=body, headers={"x-namespace": "default", **named})

    async def sign_in(self, token: str = TOKEN) -> httpx.Response:
        return await self.http.post("/codec", data={"token": token})


@pytest.fixture
async def codec() -> AsyncIterator[Codec]:
    clock = HandClock()
    routes = CodecRoutes(payload_codec(SecretStr(KEY)), SecretStr(TOKEN), UI, clock, WrongTries(clock))
    async with (
        serving(Starlette(routes=routes.routes())) as origin,
        httpx.AsyncClient(base_url=origin, timeout=20, trust_env=False) as http,
    ):
        yield Codec(http, clock)


def as_json(payload: Payload) -> dict[str, Any]:
    metadata = {name: base64.b64encode(value).decode() for name, value in payload.metadata.items()}
    return {"metadata": metadata, "data": base64.b64encode(payload.data).decode()}


async def encrypted(payload: Payload = PLAIN, key: str = KEY) -> Payload:
    (hidden,) = await payload_codec(SecretStr(key)).encode([payload])
    return hidden


def texts(answer: httpx.Response) -> list[str]:
    return [base64.b64decode(each["data"]).decode() for each in answer.json()["payloads"]]


async def test_a_command_line_with_the_token_reads(codec: Codec) -> None:
    answer = await codec.decode(await encrypted(), PLAIN, authorization=f"Bearer {TOKEN}")
    assert answer.json() == {"payloads": [as_json(PLAIN), as_json(PLAIN)]}
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN, f"Basic {TOKEN}"]
)
async def test_nobody_else_reads(codec: Codec, authorization: str) -> None:
    answer = await codec.decode(await encrypted(), authorization=authorization)
    assert answer.status_code == 401
    assert "payloads" not in answer.json()


async def test_a_page_of_the_web_ui_reads_after_signing_in(codec: Codec) -> None:
    assert (await codec.decode(await encrypted(), origin=UI)).status_code == 401
    signed_in = await codec.sign_in()
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/codec")
    cookie = signed_in.headers["set-cookie"]
    assert TOKEN not in cookie
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/codec", "Max-Age="))
    assert "Signed in" in (await codec.http.get("/codec")).text
    answer = await codec.decode(await encrypted(), origin=UI)
    assert texts(answer) == ['{"order_id":"o1"}']
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "origin"


@pytest.mark.parametrize("origin", ["http://localhost:8234", "https://localhost:8233", "null", f"{UI}.evil"])
async def test_a_page_from_elsewhere_reads_nothing_with_whatever_it_has(codec: Codec, origin: str) -> None:
    await codec.sign_in()
    answer = await codec.decode(await encrypted(), origin=origin, authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    asked = await codec.http.options("/codec/decode", headers={"origin": origin})
    assert asked.status_code == 403
    assert "access-control-allow-origin" not in asked.headers


async def test_the_cookie_alone_is_not_enough_without_a_page(codec: Codec) -> None:
    await codec.sign_in()
    assert (await codec.decode(await encrypted())).status_code == 401


async def test_a_browser_may_ask_beforehand(codec: Codec) -> None:
    headers = {"origin": UI, "access-control-request-method": "POST"}
    answer = await codec.http.options("/codec/decode", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == UI
    for name in ("content-type", "x-namespace", "authorization"):
        assert name in answer.headers["access-control-allow-headers"]


async def test_a_cookie_ends_and_cannot_be_lengthened(codec: Codec) -> None:
    await codec.sign_in()
    until, _, signature = codec.http.cookies[COOKIE].partition(".")
    codec.clock.forward(COOKIE_SECONDS + 1)
    assert (await codec.decode(await encrypted(), origin=UI)).status_code == 401
    later = f"{int(until) + COOKIE_SECONDS}.{signature}"
    for forged in (later, "", ".", f"{until}.", "x.y", f".{signature}"):
        codec.http.cookies.clear()
        answer = await codec.decode(await encrypted(), origin=UI, cookie=f"{COOKIE}={forged}")
        assert answer.status_code == 401


async def test_a_wrong_token_signs_nobody_in(codec: Codec) -> None:
    for wrong in ("", "wrong", TOKEN.upper()):
        answer = await codec.sign_in(wrong)
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert (await codec.http.post("/codec", content=b"\xff\xfe")).status_code == 401
    assert (await codec.http.post("/codec", content=b"a" * 5_000)).status_code == 413


async def test_too_many_wrong_tokens_are_not_listened_to_for_a_minute(codec: Codec) -> None:
    await codec.sign_in()
    for _ in range(TRIES_MAX):
        assert (await codec.decode(PLAIN, authorization="Bearer wrong")).status_code == 401
    for answer in (await codec.decode(PLAIN, authorization=f"Bearer {TOKEN}"), await codec.sign_in()):
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
    assert (await codec.decode(PLAIN, origin=UI)).status_code == 200, "who is signed in is not locked out"
    codec.clock.forward(60)
    assert (await codec.decode(PLAIN, authorization=f"Bearer {TOKEN}")).status_code == 200


def test_so_many_addresses_cannot_fill_the_memory() -> None:
    tries = WrongTries(HandClock())
    for number in range(1_000):
        tries.add(f"10.0.{number // 256}.{number % 256}")
    assert tries.too_many("10.9.9.9")
    assert not tries.too_many("10.0.0.1")


async def test_one_that_cannot_be_opened_says_why_and_hides_no_other(codec: Codec) -> None:
    foreign, spoiled = await encrypted(key=OTHER_KEY), await encrypted()
    spoiled.data = spoiled.data[:-1]
    answer = await codec.decode(foreign, spoiled, await encrypted(), authorization=f"Bearer {TOKEN}")
    missing, wrong, readable = texts(answer)
    assert "'k2', which TEMPORAL_PAYLOAD_KEY does not name" in json.loads(missing)
    assert "'k1'" in json.loads(wrong)
    assert readable == '{"order_id":"o1"}'


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b'{"payloads": 1}', b'{"payloads": [{"data": "\xff"}]}', b"[" * 9_000]
)
async def test_what_is_no_payloads_is_refused(codec: Codec, body: bytes) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert (await codec.http.post("/codec/decode", content=body, headers=headers)).status_code == 400


async def test_so_much_is_not_read(codec: Codec) -> None:
    body, headers = b" " * (PAYLOADS_BYTES_MAX + 1), {"authorization": f"Bearer {TOKEN}"}
    assert (await codec.http.post("/codec/decode", content=body, headers=headers)).status_code == 413


async def test_nothing_is_ever_encrypted_for_anybody(codec: Codec) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert (await codec.http.post("/codec/encode", json={"payloads": []}, headers=headers)).status_code == 404


@pytest.mark.parametrize(
    "given",
    [{}, {"TEMPORAL_PAYLOAD_KEY": KEY}, {"CODEC_TOKEN": TOKEN}, {"TEMPORAL_PAYLOAD_KEY": "plain"}],
)
def test_without_a_key_or_a_token_it_is_not_there(given: dict[str, str]) -> None:
    assert codec_routes(load_settings(given)) is None


def test_it_stays_when_nothing_more_is_encrypted() -> None:
    given = {"TEMPORAL_PAYLOAD_KEY": f"plain,{KEY}", "CODEC_TOKEN": TOKEN}
    assert codec_routes(load_settings(given)) is not None


def test_the_origin_is_what_a_browser_says() -> None:
    settings = load_settings(
        {
            "TEMPORAL_PAYLOAD_KEY": KEY,
            "CODEC_TOKEN": TOKEN,
            "TEMPORAL_UI_URL": "https://Temporal.example.com/namespaces/",
        }
    )
    routes = codec_routes(settings)
    assert routes is not None
    assert routes.ui_origin == "https://temporal.example.com"
