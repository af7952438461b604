"""The HTTP server inside a process. The process owns the signals, and the task that runs this."""

import asyncio
import errno
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from clients.kie_callbacks import CALLBACK_PATH
from clients.telegram_webhooks import CONNECTIONS_MAX, WEBHOOK_PATH
from web.codec import CodecRoutes
from web.health import HealthRoutes
from web.kie_callback import KieCallbackRoute
from web.telegram_webhook import TelegramWebhookRoute

SHUTDOWN_SECONDS_MAX: Final = 15
_CONNECTIONS_MAX: Final = 4 * CONNECTIONS_MAX  # Telegram's are never turned away for those of others


class CannotListen(Exception):
    """One sentence for the person who starts the program."""


def build_app(
    kie_callback: KieCallbackRoute,
    health: HealthRoutes,
    telegram: TelegramWebhookRoute | None = None,
    codec: CodecRoutes | None = None,
) -> Starlette:
    """`telegram` is None while updates are polled, `codec` where nobody may decrypt."""
    callback_path = f"{CALLBACK_PATH}/{{attempt_id}}/{{token}}"
    routes = [
        Route(callback_path, kie_callback.handle, methods=["POST"]),
        Route("/health", health.health),
        Route("/ready", health.ready),
    ]
    if telegram is not None:
        routes.append(Route(f"{WEBHOOK_PATH}/{telegram.digest}", telegram.handle, methods=["POST"]))
    return Starlette(routes=[*routes, *(codec.routes() if codec is not None else ())])


def build_health_app(health: HealthRoutes) -> Starlette:
    """For a program that serves nothing else over HTTP."""
    return Starlette(routes=[Route("/health", health.health), Route("/ready", health.ready)])


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class WebServer:
    """`listen`, then `run` as a task; `stop` or a cancel ends it when open requests are answered."""

    def __init__(self, app: Starlette, host: str, port: int, setting: str = "WEB_PORT") -> None:
        self._setting = setting
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        # The access log would hold the tokens of callback addresses.
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS_MAX,
            timeout_keep_alive=75,  # longer than the proxies in front keep theirs
            timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
        )
        self._server = _Server(config)

    def listen(self) -> int:
        """Return the port, which for port 0 the system chose; raise CannotListen."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            self._socket = socket.create_server((self._host, self._port), family=family)
        except OSError as error:
            raise CannotListen(_why_not(self._host, self._port, self._setting, error)) from error
        self._port = self._socket.getsockname()[1]
        return self._port

    async def run(self) -> None:
        if self._socket is None:
            raise RuntimeError("listen comes before run")
        serving = asyncio.create_task(self._server.serve([self._socket]))
        try:
            await asyncio.shield(serving)
        finally:
            self.stop()
            await serving

    def stop(self) -> None:
        self._server.should_exit = True


def _why_not(host: str, port: int, setting: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{host}:{port} is taken by another program; set {setting} to a free port"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"
