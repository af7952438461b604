"""Whether a create may be repeated hangs on how it failed: every situation over a real socket."""

import asyncio
import socket
import traceback
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from clients.kie import _NEVER_SENT as NEVER_SENT
from clients.kie import (
    KieAmbiguous,
    KieClient,
    KieError,
    KieKeyUnknown,
    KieNotSent,
    KieRefused,
    KieTimeouts,
    KieUnavailable,
)
from domain.failures import FailureClass
from domain.keys import KeyRef, KieKey
from tests.clients.raw_http import DROP, http, http_json, raw_server

KEY = "kie-secret-key-0123456789"
MODEL = "kling-2.6/image-to-video"
# One limit each that is to be reached, and only by what a test does: a machine that stands still for a
# moment must not reach another one first.
SOON_SILENT = KieTimeouts(connect_seconds=20, silence_seconds=0.5)
SOON_OVER = KieTimeouts(connect_seconds=20, total_seconds=1.0)
SOON_NOT_REACHED = KieTimeouts(connect_seconds=0.5)
HTML = b"<html><body>Bad gateway</body></html>"
REFUSAL = {"code": 500, "msg": "Server exception, please try again later", "data": None}


@asynccontextmanager
async def kie(origin: str, timeouts: KieTimeouts | None = None) -> AsyncIterator[KieClient]:
    client = KieClient(
        [KieKey(KeyRef("key1", "one"), SecretStr(KEY))],
        api_base=origin,
        upload_base=origin,
        webhook_secret=SecretStr("callback secret"),
        timeouts=timeouts,
    )
    try:
        yield client
    finally:
        await client.aclose()


async def create(client: KieClient) -> None:
    await client.create_task("key1", "o1-v1-a1", MODEL, "a cup turns", "https://files.example/p.jpg")


async def create_failure(origin: str, timeouts: KieTimeouts | None = None) -> KieError:
    async with kie(origin, timeouts) as client:
        with pytest.raises(KieError) as caught:
            await create(client)
    return caught.value


async def read_failure(origin: str, timeouts: KieTimeouts | None = None) -> KieError:
    async with kie(origin, timeouts) as client:
        with pytest.raises(KieError) as caught:
            await client.record("key1", "a" * 32)
    return caught.value


PAGES: list[tuple[str, bytes, type[KieError], type[KieError]]] = [
    ("dropped", DROP, KieAmbiguous, KieUnavailable),
    ("half head", b"HTTP/1.1 200 OK\r\ncontent-le", KieAmbiguous, KieUnavailable),
    (
        "half body",
        b'HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{"code":200,"msg"',
        KieAmbiguous,
        KieUnavailable,
    ),
    (
        "half body without a length",
        b'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"code":200,"da',
        KieAmbiguous,
        KieUnavailable,
    ),
    ("half page", b"HTTP/1.1 502 X\r\ncontent-length: 90\r\n\r\n<html>", KieAmbiguous, KieUnavailable),
    ("not HTTP", b"SSH-2.0-OpenSSH_9.2\r\n", KieAmbiguous, KieUnavailable),
    ("empty 200", http(200, b""), KieAmbiguous, KieUnavailable),
    ("HTML 200", http(200, HTML, "text/html"), KieAmbiguous, KieUnavailable),
    ("somebody else's JSON", http_json(200, {"error": "no"}), KieAmbiguous, KieUnavailable),
    ("JSON that is no object", http_json(200, [1, 2]), KieAmbiguous, KieUnavailable),
    ("wrong gzip", http(200, b"no gzip", extra="content-encoding: gzip\r\n"), KieAmbiguous, KieUnavailable),
    ("endless", http(200, b"x" * 1_100_000), KieAmbiguous, KieUnavailable),
    ("redirect", http(302, b"", extra="location: https://x.example/\r\n"), KieAmbiguous, KieUnavailable),
    ("HTML 500", http(500, HTML, "text/html"), KieAmbiguous, KieUnavailable),
    ("504", http(504, HTML, "text/html"), KieAmbiguous, KieUnavailable),
    ("504 as JSON", http_json(504, {"code": 504, "msg": "Gateway timeout"}), KieAmbiguous, KieUnavailable),
    ("520", http(520, HTML, "text/html"), KieAmbiguous, KieUnavailable),
    ("524", http(524, HTML, "text/html"), KieAmbiguous, KieUnavailable),
    ("403 page", http(403, b"<html>forbidden</html>", "text/html"), KieAmbiguous, KieUnavailable),
    ("403 1010", http(403, b"error code: 1010", "text/plain"), KieNotSent, KieNotSent),
    ("502", http(502, HTML, "text/html"), KieRefused, KieUnavailable),
    ("503", http(503, HTML, "text/html"), KieRefused, KieUnavailable),
    *(
        (f"{status}", http(status, HTML, "text/html"), KieNotSent, KieNotSent)
        for status in (521, 522, 523, 525, 526)
    ),
    ("refusal in 200", http_json(200, REFUSAL), KieRefused, KieUnavailable),
    ("refusal as status", http_json(500, REFUSAL), KieRefused, KieUnavailable),
    ("refusal without a code", http_json(503, {"msg": "maintenance"}), KieRefused, KieUnavailable),
]  # fmt: skip


@pytest.mark.parametrize(
    ("page", "for_create", "for_read"), [row[1:] for row in PAGES], ids=[row[0] for row in PAGES]
)
async def test_what_an_answer_proves(
    page: bytes, for_create: type[KieError], for_read: type[KieError]
) -> None:
    async with raw_server(page) as server:
        assert type(await create_failure(server.origin)) is for_create
        assert type(await read_failure(server.origin)) is for_read
        assert len(server.requests) == 2  # one attempt per call


@pytest.mark.parametrize("status", [502, 503])
async def test_a_gateway_page_is_temporary(status: int) -> None:
    async with raw_server(http(status, HTML, "text/html")) as server:
        error = await create_failure(server.origin)
    assert isinstance(error, KieRefused)
    assert (error.failure.failure_class, error.failure.code) == (FailureClass.TEMPORARY, str(status))
    assert (error.http_status, error.raw) == (status, HTML.decode())


async def test_silence_is_ambiguous() -> None:
    async with raw_server(http_json(200, REFUSAL), delay_seconds=30) as server:
        assert type(await create_failure(server.origin, SOON_SILENT)) is KieAmbiguous
        assert type(await read_failure(server.origin, SOON_SILENT)) is KieUnavailable


async def test_an_answer_that_trickles_is_ended() -> None:
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _each in range(300):
            writer.write(b" ")
            await asyncio.sleep(0.1)
        writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    async with server:
        origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started = asyncio.get_running_loop().time()
        assert type(await create_failure(origin, SOON_OVER)) is KieAmbiguous
        assert asyncio.get_running_loop().time() - started < 20  # of 30 s


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, never listening: refused, and nobody else gets the port
        origin = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert type(await create_failure(origin)) is KieNotSent
        assert type(await read_failure(origin)) is KieNotSent


async def test_no_such_name() -> None:
    assert type(await create_failure("http://kie.invalid")) is KieNotSent


async def test_a_connection_that_is_never_taken() -> None:
    with ExitStack() as sockets:
        full = sockets.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # fill the queue: the next SYN gets no answer
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        origin = f"http://127.0.0.1:{full.getsockname()[1]}"
        assert type(await create_failure(origin, SOON_NOT_REACHED)) is KieNotSent


async def test_tls_that_fails() -> None:
    async def no_tls(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(http(400, b"plain HTTP here"))
        writer.close()

    server = await asyncio.start_server(no_tls, "127.0.0.1", 0)
    async with server:
        origin = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert type(await create_failure(origin)) is KieNotSent


def test_every_error_of_the_http_library_has_its_place() -> None:
    """A new one in a new version must be placed by a person, not by chance."""
    may_have_arrived = {
        httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.CloseError,
        httpx.RemoteProtocolError, httpx.ProxyError, httpx.DecodingError, httpx.TooManyRedirects,
    }  # fmt: skip
    assert _leaves(httpx.RequestError) == may_have_arrived | set(NEVER_SENT)


def _leaves(base: type[Exception]) -> set[type[Exception]]:
    below = [each for each in base.__subclasses__() if each.__module__.startswith("httpx")]
    return set().union(*map(_leaves, below)) if below else {base}


@pytest.mark.parametrize("page", [row[1] for row in PAGES], ids=[row[0] for row in PAGES])
async def test_the_key_never_comes_out(page: bytes) -> None:
    async with raw_server(page) as server:
        error = await create_failure(server.origin)
    text = "".join(traceback.format_exception(error)) + repr(error) + error.raw + repr(vars(error))
    assert KEY not in text


async def test_a_key_that_is_echoed_is_removed() -> None:
    answer = {"code": 401, "msg": f"bad key {KEY}"}
    async with raw_server(http_json(200, answer)) as server:
        error = await create_failure(server.origin)
        assert f"Bearer {KEY}".encode() in server.requests[0]
    assert isinstance(error, KieRefused)
    assert KEY not in error.raw
    assert error.failure.failure_class is FailureClass.BILLING


async def test_a_key_that_is_not_ours_is_named_before_anything_is_sent() -> None:
    async with raw_server(DROP) as server, kie(server.origin) as client:
        with pytest.raises(KieKeyUnknown, match=r"key9.*key1"):
            await client.create_task("key9", "o1-v1-a1", MODEL, "a cup", "https://files.example/p.jpg")
        assert server.requests == []


@pytest.mark.parametrize("secret", ["", "with space", "кириллица", "line\nbreak"])
def test_a_key_that_cannot_be_sent_stops_the_start(secret: str) -> None:
    with pytest.raises(ValueError, match="key1") as caught:
        KieClient(
            [KieKey(KeyRef("key1", "one"), SecretStr(secret))],
            api_base="http://x",
            upload_base="http://x",
            webhook_secret=SecretStr("s"),
        )
    assert not secret or secret not in str(caught.value)


def test_callbacks_want_a_secret() -> None:
    with pytest.raises(ValueError, match="KIE_WEBHOOK_SECRET"):
        KieClient(
            [],
            api_base="http://x",
            upload_base="http://x",
            webhook_secret=SecretStr(""),
            public_base_url="https://bot.example.com",
        )
