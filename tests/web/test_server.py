import asyncio
import logging
import signal
import socket

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from clients.kie_callbacks import callback_url
from tests.web.serving import serving
from web.health import HealthRoutes, Readiness
from web.kie_callback import KieCallbackRoute
from web.server import CannotListen, WebServer, build_app
from workflows.start import Delivered


async def no_signal(_attempt_id: str, _kie_task_id: str) -> Delivered:
    return Delivered.NO_SUCH_WORKFLOW


def app_with(health: HealthRoutes) -> Starlette:
    return build_app(KieCallbackRoute(SecretStr("s"), no_signal), health)


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        return await http.get(url)


async def test_health_and_readiness() -> None:
    now = Readiness()

    async def check() -> Readiness:
        return now

    async with serving(app_with(HealthRoutes(check))) as origin:
        assert (await get(f"{origin}/health")).status_code == 200
        assert (await get(f"{origin}/ready")).json() == {"ready": True, "waiting_for": []}
        now = Readiness(("temporal",))
        answer = await get(f"{origin}/ready")
        assert (await get(f"{origin}/health")).status_code == 200
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "waiting_for": ["temporal"]}
    assert "\n" not in answer.text


async def test_check_that_hangs_is_not_ready() -> None:
    async def check() -> Readiness:
        await asyncio.sleep(10)
        return Readiness()

    async with serving(app_with(HealthRoutes(check, check_seconds_max=0.1))) as origin:
        assert (await get(f"{origin}/ready")).status_code == 503


def test_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"127.0.0.1:{port} is taken"):
            WebServer(Starlette(), "127.0.0.1", port).listen()


def test_unusable_host_is_named() -> None:
    with pytest.raises(CannotListen, match=r"cannot listen on 203\.0\.113\.7:0"):
        WebServer(Starlette(), "203.0.113.7", 0).listen()


@pytest.mark.parametrize("cancelled", [True, False])
async def test_open_request_is_answered_before_the_end(*, cancelled: bool) -> None:
    begun = asyncio.Event()

    async def slow(_: Request) -> Response:
        begun.set()
        await asyncio.sleep(0.3)
        return PlainTextResponse("done")

    server = WebServer(Starlette(routes=[Route("/", slow)]), "127.0.0.1", 0)
    port = server.listen()
    running = asyncio.create_task(server.run())
    answer = asyncio.create_task(get(f"http://127.0.0.1:{port}/"))
    await begun.wait()
    if cancelled:
        running.cancel()
    else:
        server.stop()
    assert (await answer).text == "done"
    await asyncio.wait([running])
    assert running.cancelled() is cancelled
    with pytest.raises(httpx.ConnectError):
        await get(f"http://127.0.0.1:{port}/")


async def test_signals_stay_with_the_process() -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    async with serving(Starlette()) as origin:
        assert (await get(origin)).status_code == 404
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


async def test_logs_hold_no_callback_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def check() -> Readiness:
        return Readiness()

    async with serving(app_with(HealthRoutes(check))) as origin:
        path = callback_url("", SecretStr("s"), "a-v1-a1")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(origin.rpartition(":")[2]))
        writer.write(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
        assert b"400" in await reader.readline()
        writer.close()
    assert path.rpartition("/")[2] not in caplog.text
