"""For whoever watches the process: is it alive, and can it do its work."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

CHECK_SECONDS_MAX: Final = 5.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """Names of what the process cannot reach now; ready when there is none."""

    waiting_for: tuple[str, ...] = ()


ReadinessCheck = Callable[[], Awaitable[Readiness]]


@dataclass(frozen=True, slots=True)
class HealthRoutes:
    check: ReadinessCheck
    check_seconds_max: float = CHECK_SECONDS_MAX

    async def health(self, _: Request) -> Response:
        return JSONResponse({"alive": True})

    async def ready(self, _: Request) -> Response:
        readiness = await self._checked()
        ready = not readiness.waiting_for
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"ready": ready, "waiting_for": list(readiness.waiting_for)}, status.value)

    async def _checked(self) -> Readiness:
        try:
            async with asyncio.timeout(self.check_seconds_max):
                return await self.check()
        except TimeoutError:
            return Readiness(("the readiness check",))
