"""One address in front of several bots: each request goes to the next one that is there."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.processes import LOCALHOST
from web.server import WebServer

_TIMEOUT: Final = httpx.Timeout(90, connect=5)
_LIMITS: Final = httpx.Limits(max_connections=400, max_keepalive_connections=100)
_OF_ONE_HOP: Final = {"host", "connection", "content-length", "transfer-encoding"}


class Balancer:
    """What comes one after another is handled here and there, as at its worst."""

    def __init__(self, origins: Sequence[str], client: httpx.AsyncClient) -> None:
        self._origins = deque(origins)
        self._client = client

    async def pass_on(self, request: Request) -> Response:
        """Only who could not be reached at all is replaced by the next."""
        body = await request.body()
        self._origins.rotate()
        for origin in tuple(self._origins):
            try:
                return await self._ask(origin, request, body)
            except httpx.ConnectError:
                continue
            except httpx.TransportError:
                break
        return Response(status_code=HTTPStatus.BAD_GATEWAY)

    async def _ask(self, origin: str, request: Request, body: bytes) -> Response:
        headers = [pair for pair in request.headers.items() if pair[0] not in _OF_ONE_HOP]
        url = f"{origin}{request.url.path}"
        answer = await self._client.request(request.method, url, content=body, headers=headers)
        kept = {name: value for name, value in answer.headers.items() if name not in _OF_ONE_HOP}
        return Response(answer.content, answer.status_code, kept)


@asynccontextmanager
async def balancing(origins: Sequence[str], port: int = 0) -> AsyncIterator[str]:
    """Its own origin."""
    async with httpx.AsyncClient(timeout=_TIMEOUT, limits=_LIMITS, trust_env=False) as client:
        balancer = Balancer(origins, client)
        app = Starlette(routes=[Route("/{path:path}", balancer.pass_on, methods=["GET", "POST", "OPTIONS"])])
        server = WebServer(app, LOCALHOST, port)
        port = server.listen()
        serving = asyncio.create_task(server.run())
        try:
            yield f"http://{LOCALHOST}:{port}"
        finally:
            server.stop()
            await serving
