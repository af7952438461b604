"""Every activity tells Temporal that it is alive, so that a dead worker is noticed in seconds."""

import asyncio
from typing import Any, Final

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

_BEATS_PER_TIMEOUT: Final = 3


class Heartbeats(Interceptor):
    """For a worker: its activities beat three times per heartbeat timeout for as long as they run."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Beating(super().intercept_activity(next))


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        timeout = activity.info().heartbeat_timeout
        if timeout is None:
            return await super().execute_activity(input)
        beating = asyncio.create_task(_beat(timeout.total_seconds() / _BEATS_PER_TIMEOUT))
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()


async def _beat(pause_seconds: float) -> None:
    told = activity.info().heartbeat_details  # a beat without it would make Temporal forget
    while True:
        activity.heartbeat(*told)
        await asyncio.sleep(pause_seconds)
