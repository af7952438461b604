"""doctor's look at Temporal."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue as QueueName
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetClusterInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import TaskQueue
from admin.findings import Finding, Level, ok, warning, wrong
from admin.tools import Tools
from domain.clock import utc_now
from serving import NotYet, reach_temporal
from workflows.namespace import RETENTION, WrongAttributes, missing_attributes
from workflows.start import schedule_ids

_WHAT: Final = "Temporal"
_RPC_TIMEOUT: Final = timedelta(seconds=5)
_POLLED_WITHIN: Final = timedelta(minutes=2)  # a poll ends after one; who ended is shown for five more
_SETUP: Final = "run admin_main.py setup"
_KINDS: Final = {
    "activities": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    "workflows": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
}


async def examine_temporal(tools: Tools) -> list[Finding]:
    try:
        client = await reach_temporal(tools.settings)
    except NotYet as missing:
        do = "is it running, and is TEMPORAL_ADDRESS right?"
        return [wrong(_WHAT, f"cannot be reached: {missing}", do)]
    try:
        return [finding async for finding in _examine(client)]
    except RPCError as lost:
        return [wrong(_WHAT, f"does not answer: {lost.status.name} {lost.message}", "look into its log")]


async def _examine(client: Client) -> AsyncIterator[Finding]:
    cluster = await client.workflow_service.get_cluster_info(GetClusterInfoRequest(), timeout=_RPC_TIMEOUT)
    yield ok(_WHAT, f"{cluster.server_version} at {client.service_client.config.target_host}")
    namespace = await _namespace(client)
    yield namespace
    if namespace.level is Level.WRONG:
        return
    yield await _search_attributes(client)
    for finding in await asyncio.gather(*(_schedule(client, name) for name in schedule_ids())):
        yield finding
    for finding in await asyncio.gather(*(_queue(client, *each) for each in _polled())):
        yield finding


async def _search_attributes(client: Client) -> Finding:
    what = "search attributes"
    try:
        missing = await missing_attributes(client)
    except WrongAttributes as wrong_ones:
        return wrong(what, f"{wrong_ones.said}: orders cannot start", wrong_ones.do)
    if missing:
        return wrong(what, f"{', '.join(missing)} missing: orders cannot start", _SETUP)
    return ok(what, "all there")


async def _namespace(client: Client) -> Finding:
    try:
        answer = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=_RPC_TIMEOUT
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return wrong("namespace", f"there is no namespace {client.namespace}", _SETUP)
        raise
    kept = answer.config.workflow_execution_retention_ttl.ToTimedelta()
    said = f"{client.namespace} keeps histories for {kept.days} days"
    return ok("namespace", said) if kept >= RETENTION else warning("namespace", said, _SETUP)


async def _schedule(client: Client, name: str) -> Finding:
    what = f"schedule {name}"
    try:
        described = await client.get_schedule_handle(name).describe(rpc_timeout=_RPC_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return wrong(what, "is missing", _SETUP)
        raise
    if described.schedule.state.paused:
        return warning(what, f"is paused: {described.schedule.state.note}", "unpause it in the Web UI")
    runs = [action.started_at for action in described.info.recent_actions]
    coming = next(iter(described.info.next_action_times), None)
    last = f"last ran {max(runs):%m-%d %H:%M}" if runs else "has not run yet"
    return ok(what, f"{last}, next {coming:%m-%d %H:%M} UTC" if coming else last)


def _polled() -> Iterable[tuple[TaskQueue, str]]:
    yield TaskQueue.ORDERS, "workflows"
    for queue in TaskQueue:
        yield queue, "activities"


async def _queue(client: Client, queue: TaskQueue, kind: str) -> Finding:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=QueueName(name=queue.value),
            task_queue_type=_KINDS[kind],
            report_stats=True,
        ),
        timeout=_RPC_TIMEOUT,
    )
    since = utc_now() - _POLLED_WITHIN
    polling = {each.identity for each in answer.pollers if each.last_access_time.ToDatetime(UTC) > since}
    waiting = answer.stats.approximate_backlog_count
    what, backlog = f"queue {queue.value}", f", {waiting} waiting" if waiting else ""
    if not polling:
        return wrong(what, f"nobody polls its {kind}{backlog}", f"start worker_main.py --role {queue.value}")
    return ok(what, f"{kind}: polled by {', '.join(sorted(polling)[:3])}{_more(len(polling) - 3)}{backlog}")


def _more(number: int) -> str:
    return f" and {number} more" if number > 0 else ""
