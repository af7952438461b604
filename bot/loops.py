"""Work that goes on for as long as the bot does."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from bot.middleware import DATABASE_AWAY

_SAID_AGAIN_SECONDS: Final = 60.0

_log = structlog.get_logger()


async def forever(name: str, step: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
    """One failed round is logged, and the next one comes all the same."""
    away = _Away(name)
    while True:
        outcome = (await asyncio.gather(step(), return_exceptions=True))[0]
        away.note(outcome if isinstance(outcome, DATABASE_AWAY) else None)
        if isinstance(outcome, BaseException) and not isinstance(outcome, DATABASE_AWAY):
            _log.error("round failed", loop=name, exc_info=outcome)
        await asyncio.sleep(pause_seconds)


class _Away:
    """Said when the database goes, once in a while for as long as it is away, and when it is back."""

    def __init__(self, loop: str) -> None:
        self._loop = loop
        self._said_at: float | None = None
        self._rounds = 0

    def note(self, error: BaseException | None) -> None:
        if error is not None:
            self._is_away(error)
        elif self._said_at is not None:
            _log.info("database is back", loop=self._loop, rounds=self._rounds)
            self._said_at, self._rounds = None, 0

    def _is_away(self, error: BaseException) -> None:
        self._rounds += 1
        now = time.monotonic()
        if self._said_at is None or now - self._said_at > _SAID_AGAIN_SECONDS:
            self._said_at = now
            _log.warning("database is away", loop=self._loop, error=type(error).__name__)
