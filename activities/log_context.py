"""Every line an activity writes, and every one the SDK writes of it, says whom it is about."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain import ids
from store.database import UNAVAILABLE_ERRORS
from telemetry import context, tracing

_OWNERS_MAX: Final = 10_000
_LOOK_SECONDS_MAX: Final = 1.0

_log = structlog.get_logger(__name__)

OwnerOf = Callable[[str], Awaitable[int | None]]


class LogContext(Interceptor):
    """Reads the ids from the activity's request; the user of an order is looked up once."""

    def __init__(self, owner_of: OwnerOf) -> None:
        self._owner_of = owner_of
        self._owners: dict[str, int] = {}

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Noting(super().intercept_activity(next), self)

    async def user_of(self, order_id: str) -> int:
        """0 where nobody knows, or PostgreSQL does not answer at once: the line matters more."""
        if order_id and order_id not in self._owners:
            try:
                async with asyncio.timeout(_LOOK_SECONDS_MAX):
                    found = await self._owner_of(order_id)
            except UNAVAILABLE_ERRORS:
                return 0
            if len(self._owners) >= _OWNERS_MAX:
                self._owners.clear()
            self._owners[order_id] = found or 0
        return self._owners.get(order_id, 0)


class _Noting(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, known: LogContext) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._known = known

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """Each activity is a task of its own, and what is noted ends with it."""
        info, subject = activity.info(), subject_of(input.args)
        context.note(activity=info.activity_type, **subject)
        context.note(tried=info.attempt if info.attempt > 1 else 0)
        context.note(user_id=await self._known.user_of(subject.get("order_id", "")))
        tracing.mark(queue=info.task_queue, tried=str(info.attempt), **subject)
        started = time.monotonic()
        try:
            result = await super().execute_activity(input)
        except ApplicationError as failed:
            tracing.mark(failure_class=failed.type or "")
            _log.info(
                "activity failed", failure_class=failed.type, why=failed.message, seconds=_since(started)
            )
            raise
        _log.info("activity done", seconds=_since(started))
        return result


def _since(moment: float) -> float:
    return round(time.monotonic() - moment, 3)


def subject_of(arguments: Any) -> dict[str, str]:
    """Every activity has one request, with the ids under their names."""
    request = next(iter(arguments), None)
    given = {name: getattr(request, name, "") for name in ("order_id", "video_id", "attempt_id")}
    return ids.subject(**given)
