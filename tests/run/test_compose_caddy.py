"""The way in from outside, as a real Caddy opens it: two callers get through, and nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from admin.doctor_services import examine_public_address
from admin.findings import Level
from admin.tools import Tools
from clients.kie_callbacks import CALLBACK_PATH
from clients.telegram_webhooks import WEBHOOK_PATH
from local.processes import free_port, spawn
from serving import Stop
from settings import load_settings
from tests.run.compose_file import ROOT
from tests.stories.seller import soon
from tests.tools import tool
from web.health import HealthRoutes, Readiness
from web.kie_callback import KieCallbackRoute
from web.server import WebServer, build_app
from workflows.start import Delivered

CADDYFILE = ROOT / "deploy" / "caddy" / "Caddyfile"
ALLOWED = (f"{CALLBACK_PATH}/an-attempt/a-signature", f"{WEBHOOK_PATH}/a-digest")
INSIDE = (
    "/",
    "/health",
    "/ready",
    "/metrics",
    "/codec",
    "/codec/decode",
    f"{CALLBACK_PATH}/../codec/decode",
    f"{CALLBACK_PATH}/..%2fcodec/decode",
    f"{WEBHOOK_PATH}/%2e%2e/%2e%2e/codec/decode",
    f"//codec/decode{CALLBACK_PATH}/",
    f"{CALLBACK_PATH}",
    "/telegram/other/a-digest",
)


async def echo(request: Request) -> Response:
    return PlainTextResponse(f"reached {request.method} {request.url.path} {len(await request.body())}")


async def raw_post(base_url: httpx.URL, path: str) -> str:
    """The path as it is: a client would tidy it up first."""
    reader, writer = await asyncio.open_connection(base_url.host, base_url.port)
    head = f"POST {path} HTTP/1.1\r\nHost: {base_url.host}:{base_url.port}\r\nContent-Length: 2\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n{{}}".encode())
    async with asyncio.timeout(20):
        answered = await reader.read()
    writer.close()
    return answered.decode()


@asynccontextmanager
async def behind_caddy(app: Starlette, tmp_path: Path) -> AsyncIterator[str]:
    program, bot_port, port = tool("caddy"), free_port(), free_port()
    bot = WebServer(app, "127.0.0.1", bot_port)
    bot.listen()
    serving = asyncio.create_task(bot.run())
    caddy = await spawn(
        "Caddy",
        [program, "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
        log_path=tmp_path / "caddy.log",
        env={
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
            "BOT_HOST": "127.0.0.1",
            "BOT_PORT": str(bot_port),
            "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path),
        },
    )
    address = f"http://127.0.0.1:{port}"
    await soon(lambda: answers(address), "Caddy", 30)
    yield address
    await caddy.stop()
    bot.stop()
    await serving


async def answers(address: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=20) as http:
            return (await http.get(address)).status_code > 0
    except httpx.TransportError:
        return False


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Caddy before something that would answer to everything."""
    app = Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST", "PUT"])])
    async with (
        behind_caddy(app, tmp_path) as address,
        httpx.AsyncClient(base_url=address, timeout=20) as http,
    ):
        yield http


async def no_signal(_attempt_id: str, _kie_task_id: str) -> Delivered:
    raise AssertionError("a forged callback was believed")


async def ready() -> Readiness:
    return Readiness()


async def test_doctor_sees_the_bot_through_it(tmp_path: Path) -> None:
    """Where /health does not get through, and a 404 may be anybody's."""
    app = build_app(KieCallbackRoute(SecretStr("a-secret"), no_signal), HealthRoutes(ready))
    async with behind_caddy(app, tmp_path) as address:
        here = load_settings({"KIE_WEBHOOK_SECRET": "a-secret", "PUBLIC_BASE_URL": address})
        (found,) = await examine_public_address(Tools(here, Stop(), AsyncExitStack()))
    assert found.level is Level.OK, found.said


async def test_two_callers_reach_the_bot_and_nobody_else(outside: httpx.AsyncClient) -> None:
    for path in ALLOWED:
        answer = await outside.post(path, content=b"{}")
        assert answer.text == f"reached POST {path} 2"
        assert (await outside.get(path)).status_code == 404
        assert (await outside.put(path)).status_code == 404
    for path in INSIDE:
        answered = await raw_post(outside.base_url, path)
        assert answered.startswith("HTTP/1.1 404"), path
        assert "reached" not in answered


async def test_a_body_that_is_no_update_is_not_passed_on(outside: httpx.AsyncClient) -> None:
    answer = await outside.post(ALLOWED[0], content=b"x" * 1_500_000)
    assert answer.status_code in {413, 502}
    assert "reached" not in answer.text
