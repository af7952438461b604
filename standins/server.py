"""One Starlette app on one port, and answers that break off in the middle."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_START_SECONDS_MAX = 20.0
_BACKLOG = 2048
_ABORT = "standins.abort"
_REFUSE = "standins.refuse"


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


async def refuse_connections(scope: Scope, seconds: float) -> None:
    """Nobody listens on this server's port for so long; what is under way is finished."""
    scope["state"][_REFUSE](seconds)


class _Server(uvicorn.Server):
    """Leaves signals to its owner, does not wait for long polls when it ends, and can be away for a while."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._held: list[socket.socket] = []
        self._away: asyncio.TimerHandle | None = None
        self._returning: set[asyncio.Task[None]] = set()

    def refuse(self, seconds: float) -> None:
        """Asked again while it is away, it stays away for so long from now."""
        if self._away is not None:
            self._away.cancel()
        listening, self.servers = self.servers, []
        self._held += [_held(server) for server in listening]
        for connection in list(self.server_state.connections):
            connection.shutdown()
        self._away = asyncio.get_running_loop().call_later(seconds, self._return)

    def _return(self) -> None:
        held, self._held = self._held, []
        self._returning = {asyncio.create_task(self._listen_on(each)) for each in held}

    async def _listen_on(self, held: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self.servers.append(await loop.create_server(self._protocol, sock=held, backlog=_BACKLOG))

    def _protocol(self) -> asyncio.Protocol:
        protocol = _AbortableProtocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return cast("asyncio.Protocol", protocol)

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._away is not None:
            self._away.cancel()
        for held in self._held:
            held.close()
        for task in self.server_state.tasks:
            task.cancel()
        await super().shutdown(sockets)


def _held(server: asyncio.base_events.Server) -> socket.socket:
    """Ends the listening and keeps the port: bound without listening, it refuses, and nobody can take it."""
    address = server.sockets[0].getsockname()
    server.close()
    return _bound(*address[:2])


def _quiet_at_exit(app: ASGIApp, server: Callable[[], _Server]) -> ASGIApp:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["state"][_REFUSE] = server().refuse
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http" or not server().should_exit:
                raise
            await _cut(scope, receive)

    return guarded


def _server_of(app: ASGIApp) -> _Server:
    served: list[_Server] = []
    config = uvicorn.Config(
        _quiet_at_exit(app, lambda: served[0]),
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
    served.append(server)
    return server


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    listener = _bound(host, port)
    listener.listen(_BACKLOG)
    shown = "127.0.0.1" if host in {"", "0.0.0.0"} else host  # noqa: S104 - compared, not bound
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit it; without it every small answer waits 40 ms for the other side's ACK.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bound.bind((host, port))
    return bound


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
