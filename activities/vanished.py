"""Rows that are not there any more: ordered after the moment to which the database was restored."""

from typing import Any, Final

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.failing import already_settled
from store.attempts import UnknownAttempt
from store.orders import UnknownOrder
from store.videos import UnknownVideo

UNKNOWN_ROWS: Final = (UnknownOrder, UnknownVideo, UnknownAttempt)

_log = structlog.get_logger(__name__)


class VanishedRows(Interceptor):
    """For a worker: an activity of such an order does nothing, and its workflow ends."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Looking(super().intercept_activity(next))


class _Looking(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        try:
            return await super().execute_activity(input)
        except UNKNOWN_ROWS as unknown:
            note_vanished(str(unknown))
            raise already_settled("its row is gone: ordered after the moment that was restored") from None


def note_vanished(row_id: str) -> None:
    _log.warning("row is gone", row_id=row_id, activity=activity.info().activity_type)
