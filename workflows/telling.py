"""Telling people is worth every retry, and never changes what happened to the money."""

from collections.abc import Awaitable

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from workflows.failures import AlreadySettled, CallFailed


async def tell(call: Awaitable[object]) -> None:
    """Await it; a failure is logged and the story goes on."""
    try:
        await call
    except (CallFailed, AlreadySettled, FailureError) as failed:
        if is_cancelled_exception(failed):
            raise
        workflow.logger.warning("not told: %s", failed)
