"""Telling Temporal that a long call is alive, so that a dead worker is noticed in seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from temporalio import activity

_BEATS_PER_TIMEOUT: Final = 3


@asynccontextmanager
async def heartbeating() -> AsyncIterator[None]:
    """Beat three times per heartbeat timeout for as long as the block runs."""
    timeout = activity.info().heartbeat_timeout
    if timeout is None:
        yield
        return
    beating = asyncio.create_task(_beat(timeout.total_seconds() / _BEATS_PER_TIMEOUT))
    try:
        yield
    finally:
        beating.cancel()


async def _beat(pause_seconds: float) -> None:
    told = activity.info().heartbeat_details  # a beat without it would make Temporal forget
    while True:
        activity.heartbeat(*told)
        await asyncio.sleep(pause_seconds)
