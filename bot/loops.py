"""Work that goes on for as long as the bot does."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.middleware import DATABASE_AWAY

_log = structlog.get_logger()


async def forever(name: str, step: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
    """One failed round is logged, and the next one comes all the same."""
    while True:
        outcome = (await asyncio.gather(step(), return_exceptions=True))[0]
        if isinstance(outcome, DATABASE_AWAY):
            _log.warning("database is away", loop=name, error=type(outcome).__name__)
        elif isinstance(outcome, BaseException):
            _log.error("round failed", loop=name, exc_info=outcome)
        await asyncio.sleep(pause_seconds)
