"""What we start ourselves on Telegram, all processes together: broadcasts, stages, notices.

Replies and deliveries are not asked for here: they go first.
"""

import asyncio
from typing import Final

from store.limits import Rate, RateLimits

PER_SECOND_MAX: Final = 25

_NAME: Final = "telegram-notices"
_BURST: Final = 6.0
LASTING_PER_SECOND: Final = PER_SECOND_MAX - _BURST  # in no second more than this and the burst together
_RATE: Final = Rate(per_second=LASTING_PER_SECOND, burst=_BURST)
_LEFT_TO_NOTICES: Final = 2.0  # one of a refund takes two calls
_REST_SECONDS_MAX: Final = 60.0  # then one of us asks again: notices must not wait out an hour
_ALLOWED: Final = 0.0
_WAIT_SECONDS_MAX: Final = 2.0


class Pacing:
    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    async def notice(self, calls: int = 1) -> float:
        """0: send it now, in so many calls. Otherwise the seconds until it is worth asking again."""
        return await self._limits.take(_NAME, _RATE, calls)

    async def stage(self) -> bool:
        """Whether a stage may be shown now: the next one comes anyway, a notice of a refund does not."""
        return not await self._limits.take(_NAME, _RATE, spare=_LEFT_TO_NOTICES)

    async def broadcast(self) -> float:
        """The same for one of many: it leaves room for a notice, which concerns what somebody waits for."""
        return await self._limits.take(_NAME, _RATE, spare=_LEFT_TO_NOTICES)

    async def wait(self) -> float:
        """0 as soon as a notice may go out; the seconds that are left where that takes too long."""
        while _ALLOWED < (wait_seconds := await self.notice()) <= _WAIT_SECONDS_MAX:  # noqa: ASYNC110 - a row's state
            await asyncio.sleep(wait_seconds)
        return wait_seconds

    async def rest(self, seconds: float) -> None:
        """Telegram told one of us to be silent for so long: all of us are."""
        await self._limits.rest(_NAME, _RATE, min(seconds, _REST_SECONDS_MAX))
