"""An app on a free port, for the length of a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from web.server import WebServer


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    server = WebServer(app, "127.0.0.1", 0)
    port = server.listen()
    running = asyncio.create_task(server.run())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        await running
