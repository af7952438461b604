"""Lines that are not ours: the SDK's of a broken activity, and those of a workflow."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
import structlog
from temporalio import activity
from temporalio.client import ActivityFailureError
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

from activities.contracts import AttemptRef, Nothing
from activities.log_context import LogContext
from local.temporal import TemporalServer, connect
from logs import line_handler
from telemetry import context

ORDER = "0123456789abcdef0123"
ATTEMPT = f"{ORDER}-v2-a1"


@contextmanager
def lines_of(name: str) -> Iterator[list[dict[str, Any]]]:
    """As they are written in production."""
    written, lines = StringIO(), list[dict[str, Any]]()
    handler = line_handler(written, "json", [])
    logging.getLogger(name).addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger(name).removeHandler(handler)
        lines += [json.loads(line) for line in written.getvalue().splitlines()]


@activity.defn
async def broken(_: AttemptRef) -> Nothing:
    raise LookupError("a bug")


async def owner_of(order_id: str) -> int | None:
    return 7 if order_id == ORDER else None


async def test_what_the_sdk_says_of_a_broken_activity_says_whose_it_is(
    temporal_server: TemporalServer,
) -> None:
    client, queue = await connect(temporal_server.address), f"broken-{uuid4().hex[:6]}"
    worker = Worker(client, task_queue=queue, activities=[broken], interceptors=[LogContext(owner_of)])
    with lines_of("temporalio.activity") as lines:
        async with worker:
            with pytest.raises(ActivityFailureError):
                await client.execute_activity(
                    broken,
                    AttemptRef(attempt_id=ATTEMPT),
                    id=queue,
                    task_queue=queue,
                    start_to_close_timeout=timedelta(seconds=20),
                    retry_policy=RetryPolicy(maximum_attempts=1),
                )
    (line,) = lines
    assert (line["order_id"], line["video_id"], line["attempt_id"]) == (ORDER, f"{ORDER}-v2", ATTEMPT)
    assert (line["user_id"], line["activity"]) == (7, "broken")
    assert "LookupError: a bug" in line["exception"]


@pytest.mark.parametrize(
    ("workflow_id", "subject"),
    [
        (f"order-{ORDER}", {"order_id": ORDER}),
        (f"order-{ORDER}-v3", {"order_id": ORDER, "video_id": f"{ORDER}-v3"}),
        (f"resend-{ORDER}-v1", {"order_id": ORDER, "video_id": f"{ORDER}-v1"}),
        ("housekeeping-2026-11-21T12:00:00Z", {}),
    ],
)
def test_a_line_of_a_workflow_says_whose_it_is(workflow_id: str, subject: dict[str, str]) -> None:
    with lines_of("temporalio.workflow") as lines:
        logging.getLogger("temporalio.workflow").warning(
            "not told", extra={"temporal_workflow": {"workflow_id": workflow_id}}
        )
    assert {name: lines[0][name] for name in lines[0] if name.endswith("_id")} == subject


def test_what_is_noted_inside_ends_with_it() -> None:
    with context.about(order_id=ORDER):
        with context.about(update_id=5, user_id=0):
            context.note(user_id=9)
            assert structlog.contextvars.get_contextvars() == {"update_id": 5, "user_id": 9}
        assert structlog.contextvars.get_contextvars() == {"order_id": ORDER}
    assert structlog.contextvars.get_contextvars() == {}
