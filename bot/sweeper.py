"""Starts what was committed while Temporal was away, and sends what nobody else would send."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from bot.middleware import DATABASE_AWAY
from bot.parts import BotParts
from telemetry import context, tracing
from workflows.start import TemporalUnavailable

_log = structlog.get_logger()

SWEEP_SECONDS: Final = 5.0
_TAP_SECONDS: Final = 5.0  # the tap itself starts the workflow; it gets this long
_BACK_WITHIN: Final = timedelta(hours=1)


class Sweeper:
    def __init__(self, parts: BotParts) -> None:
        self._parts = parts

    async def sweep(self) -> None:
        """While Temporal is away the round ends: the next one comes soon. One bad order stops no other."""
        older_than = timedelta(seconds=_TAP_SECONDS * self._parts.time_scale)
        for order_id in await self._parts.orders.unstarted(older_than):
            with context.about(order_id=order_id), tracing.of_order(order_id):
                outcome = (await asyncio.gather(self._start(order_id), return_exceptions=True))[0]
            if isinstance(outcome, (TemporalUnavailable, *DATABASE_AWAY)):
                _log.warning("orders wait to be started", error=type(outcome).__name__)
                return
            if isinstance(outcome, BaseException):
                _log.error("order was not started", order_id=order_id, exc_info=outcome)

    async def sweep_waiting(self) -> None:
        """A refusal is settled seconds after it came: whoever is back by then was not told of the video."""
        for video_id in await self._parts.videos.waiting_for_somebody_back(_BACK_WITHIN):
            try:
                await self._parts.starter.resend(video_id)
            except TemporalUnavailable:
                return
            _log.info("video sent to somebody who was back already", video_id=video_id)

    async def _start(self, order_id: str) -> None:
        await self._parts.starter.start_order(order_id)
        await self._parts.orders.mark_started(order_id)
        _log.info("order started by the sweeper", order_id=order_id)
