"""GET /health and /ready of a worker: from its first moment, and until its last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from environment import WrongSetting
from settings import Settings
from web.health import HealthRoutes, Readiness
from web.server import CannotListen, WebServer, build_health_app
from worker_health import WorkerHealth


@asynccontextmanager
async def health_server(settings: Settings, health: WorkerHealth) -> AsyncIterator[None]:
    """Answers until the block ends. Raise WrongSetting where nobody can listen."""

    async def check() -> Readiness:
        return Readiness(await health.waiting_for())

    app = build_health_app(HealthRoutes(check))
    server = WebServer(app, settings.web_host, settings.health_port, "HEALTH_PORT")
    try:
        server.listen()
    except CannotListen as error:
        raise WrongSetting(str(error)) from None
    running = asyncio.create_task(server.run())
    try:
        yield
    finally:
        server.stop()
        await running
