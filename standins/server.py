"""One Starlette app on one port, and answers that break off in the middle."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_START_SECONDS_MAX = 20.0
_ABORT = "standins.abort"


class _AbortableProtocol(H11Protocol):
    """Hands every request the means to cut its own connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app_state = {**self.app_state, _ABORT: self._abort}

    def _abort(self) -> None:
        self.transport.abort()


class Dropped(Response):
    """No answer at all: the client sees the connection close after it has sent its request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del send
        await _cut(scope, receive)


class HalfAnswer(Response):
    """Status, headers and the first half of another response's body, then silence."""

    def __init__(self, whole: Response) -> None:
        super().__init__()
        self.whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_half(message: Any) -> None:
            if message["type"] == "http.response.body":
                body = message.get("body", b"")
                message = {**message, "body": body[: len(body) // 2], "more_body": True}
            await send(message)

        await self.whole(scope, receive, send_half)
        await _cut(scope, receive)


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["state"][_ABORT]()
    # uvicorn answers 500 for a handler that returns before it has noticed the lost connection.
    while (await receive())["type"] != "http.disconnect":
        pass


class _Server(uvicorn.Server):
    """Leaves signals to its owner, and does not wait for long polls when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in self.server_state.tasks:
            task.cancel()
        await super().shutdown(sockets)


def _quiet_at_exit(app: ASGIApp, is_ending: Callable[[], bool]) -> ASGIApp:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http" or not is_ending():
                raise
            await _cut(scope, receive)

    return guarded


def _server_of(app: ASGIApp) -> _Server:
    ending: list[_Server] = []
    config = uvicorn.Config(
        _quiet_at_exit(app, lambda: ending[0].should_exit),
        http=_AbortableProtocol,
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,  # a short one closes pooled connections just when a client reuses them
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    ending.append(server)
    return server


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    listener = socket.create_server((host, port), backlog=2048)
    # Accepted sockets inherit it; without it every small answer waits 40 ms for the other side's ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    shown = "127.0.0.1" if host in {"", "0.0.0.0"} else host  # noqa: S104 - compared, not bound
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


@contextlib.asynccontextmanager
async def running(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """The app's base URL; it is served until the block is left."""
    listener, url = _listen(host, port)
    server = _server_of(app)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await _until_started(server, serving)
        yield url
    finally:
        server.should_exit = True
        await serving


async def _until_started(server: _Server, serving: asyncio.Task[None]) -> None:
    async with asyncio.timeout(_START_SECONDS_MAX):
        while not server.started:
            if serving.done():
                raise RuntimeError("the stand-in's own start failed; its log says why")
            await asyncio.sleep(0.005)


def serve(app: ASGIApp, host: str, port: int) -> int:
    """Serves until SIGTERM or SIGINT; the exit code of the process."""
    try:
        asyncio.run(_serve(app, host, port))
    except OSError as refusal:
        sys.stderr.write(f"cannot listen on {host}:{port}: {refusal.strerror or refusal}\n")
        return 1
    return 0


async def _serve(app: ASGIApp, host: str, port: int) -> None:
    asked_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_end.set)
    async with running(app, host, port) as url:
        sys.stdout.write(f"listening on {url}\n")
        sys.stdout.flush()
        await asked_to_end.wait()
