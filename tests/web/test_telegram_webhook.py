"""The address Telegram posts updates to, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest
from pydantic import SecretStr

from clients.telegram_webhooks import SECRET_HEADER, Webhook, webhook_digest
from tests.web.serving import serving
from tests.web.test_server import no_signal
from web.health import HealthRoutes, Readiness
from web.kie_callback import KieCallbackRoute
from web.server import build_app
from web.telegram_webhook import BODY_BYTES_MAX, TelegramWebhookRoute

SECRET = SecretStr("a-long-random-word")
NAME = SECRET_HEADER.encode()
HEADERS = {NAME: SECRET.get_secret_value().encode()}
BODY = b'{"update_id": 1}'


@dataclass
class Inbox:
    """Where updates go."""

    takes: bool = True
    seconds: float = 0
    bodies: list[bytes] = field(default_factory=list)

    async def receive(self, body: bytes) -> bool:
        await asyncio.sleep(self.seconds)
        self.bodies.append(body)
        return self.takes


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def url(inbox: Inbox) -> AsyncIterator[str]:
    async with webhook_of(inbox, body_seconds_max=30) as address:
        yield address


@asynccontextmanager
async def webhook_of(inbox: Inbox, body_seconds_max: float) -> AsyncIterator[str]:
    async def ready() -> Readiness:
        return Readiness()

    route = TelegramWebhookRoute(webhook_digest(SECRET), SECRET, inbox.receive, body_seconds_max)
    kie = KieCallbackRoute(SecretStr("s"), no_signal)
    async with serving(build_app(kie, HealthRoutes(ready), route)) as origin:
        yield Webhook(origin, SECRET, ()).url


async def post(url: str, content: bytes = BODY, headers: dict[bytes, bytes] | None = None) -> httpx.Response:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        return await http.post(url, content=content, headers=HEADERS if headers is None else headers)


async def test_an_update_is_acknowledged_when_it_is_handled(url: str, inbox: Inbox) -> None:
    answer = await post(url)
    assert (answer.status_code, answer.content) == (200, b"")
    assert inbox.bodies == [BODY]


async def test_what_could_not_be_handled_is_asked_for_again(url: str, inbox: Inbox) -> None:
    inbox.takes = False
    answer = await post(url)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) <= 5


@pytest.mark.parametrize(
    "header",
    [None, "", "wrong", "a-long-random-wor", "a-long-random-word ä", "A-LONG-RANDOM-WORD", "a" * 5_000],
)
async def test_without_the_secret_nothing_happens_and_nothing_is_said(
    url: str, inbox: Inbox, header: str | None
) -> None:
    headers = {} if header is None else {NAME: header.encode()}
    answer = await post(url, headers=headers)
    assert (answer.status_code, answer.content) == (401, b"")
    assert inbox.bodies == []


async def test_without_a_secret_of_ours_nobody_is_telegram(inbox: Inbox) -> None:
    async def ready() -> Readiness:
        return Readiness()

    nothing = SecretStr("")
    route = TelegramWebhookRoute(webhook_digest(nothing), nothing, inbox.receive)
    app = build_app(KieCallbackRoute(SecretStr("s"), no_signal), HealthRoutes(ready), route)
    async with serving(app) as origin:
        assert (await post(Webhook(origin, nothing, ()).url, headers={NAME: b""})).status_code == 401
    assert inbox.bodies == []


async def test_another_address_is_nobodys(url: str, inbox: Inbox) -> None:
    base = url.rpartition("/")[0]
    for wrong in (base, f"{base}/", f"{base}/{'0' * 16}", f"{url}/more"):
        assert (await post(wrong)).status_code == 404
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        assert (await http.get(url, headers=HEADERS)).status_code == 405
    assert inbox.bodies == []


async def test_another_secret_is_another_address() -> None:
    assert Webhook("https://a", SECRET, ()).url != Webhook("https://a", SecretStr("b"), ()).url
    assert SECRET.get_secret_value() not in Webhook("https://a", SECRET, ()).url


async def test_a_body_has_a_limit(url: str, inbox: Inbox) -> None:
    assert (await post(url, b" " * BODY_BYTES_MAX)).status_code == 200
    assert (await post(url, b" " * (BODY_BYTES_MAX + 1))).status_code == 413
    assert len(inbox.bodies) == 1


async def test_a_body_that_does_not_come_is_not_waited_for(inbox: Inbox) -> None:
    async with webhook_of(inbox, body_seconds_max=0.5) as url:
        reader, writer = await half_a_post(url)
        assert b"408" in await asyncio.wait_for(reader.readline(), 20)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    assert inbox.bodies == []


async def half_a_post(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """More of its body was announced than comes."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port or 0)
    head = f"POST {address.path} HTTP/1.1\r\nhost: x\r\n{SECRET_HEADER}: {SECRET.get_secret_value()}\r\n"
    writer.write(f"{head}content-length: 100\r\n\r\n{{".encode())
    await writer.drain()
    return reader, writer


async def test_a_sender_who_hangs_up_leaves_nothing(url: str, inbox: Inbox) -> None:
    _, writer = await half_a_post(url)
    writer.close()
    assert (await post(url)).status_code == 200
    assert inbox.bodies == [BODY]


async def test_as_many_connections_as_telegram_opens_are_served_beside_others(url: str, inbox: Inbox) -> None:
    inbox.seconds = 0.5
    health = f"{httpx.URL(url).copy_with(path='/health')}"
    limits = httpx.Limits(max_connections=300)
    async with httpx.AsyncClient(timeout=20, trust_env=False, limits=limits) as http:
        posted = [http.post(url, content=BODY, headers=HEADERS) for _ in range(100)]
        others = [http.get(health) for _ in range(100)]
        answers = await asyncio.gather(*posted, *others)
    assert {answer.status_code for answer in answers} == {200}
    assert len(inbox.bodies) == 100
