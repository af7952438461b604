"""What a container's health check says of the program in it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from local.processes import free_port
from tests.run.compose_file import ONCE, OURS, ROOT
from web.health import HealthRoutes, Readiness
from web.server import WebServer, build_health_app

PROBES = {
    name: service["healthcheck"]["test"]
    for name, service in OURS.items()
    if name not in ONCE and "deploy/probe.py" in service["healthcheck"]["test"]
}


@asynccontextmanager
async def answering(port: int, *missing: str) -> AsyncIterator[None]:
    async def check() -> Readiness:
        return Readiness(missing)

    server = WebServer(build_health_app(HealthRoutes(check)), "127.0.0.1", port)
    server.listen()
    running = asyncio.create_task(server.run())
    yield
    server.stop()
    await running


async def probed(port: int) -> int:
    """With the very words of the compose file."""
    _, _, *words, _ = PROBES["worker-kie"]
    process = await asyncio.create_subprocess_exec(sys.executable, *words, str(port), cwd=ROOT)
    return await asyncio.wait_for(process.wait(), 20)


def test_each_is_asked_at_the_port_where_it_answers() -> None:
    assert len(PROBES) == len(OURS) - len(ONCE & set(OURS)) - 1, "all but the backup, which has no web server"
    for name, words in PROBES.items():
        environment = OURS[name]["environment"]
        assert words[-1] == environment["WEB_PORT" if name == "bot" else "HEALTH_PORT"]


async def test_ready_is_healthy_and_everything_else_is_not() -> None:
    port = free_port()
    assert await probed(port) == 1, "nobody answers"
    async with answering(port):
        assert await probed(port) == 0
    async with answering(port, "PostgreSQL"):
        assert await probed(port) == 1
