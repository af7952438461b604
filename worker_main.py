"""Serves the workflows and activities of one or more roles in one process."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Annotated, Any, Final

import structlog
import typer
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Interceptor, PollerBehaviorAutoscaling, Worker, WorkerDeploymentConfig

from activities.contracts import TaskQueue
from activities.heartbeats import Heartbeats
from activities.log_context import LogContext
from activities.vanished import VanishedRows
from domain.clock import utc_now
from serving import (
    EXIT_FAILED,
    EXIT_WRONG_SETTING,
    Stop,
    await_database,
    await_temporal,
    prepare_ready_file,
    run_program,
    say_ready,
    set_up_metrics,
    set_up_traces,
)
from settings import Settings, load_kie_keys
from starting import check_clock, check_media
from worker_health import WorkerHealth
from worker_parts import WorkerParts, build_activities, run_loops
from worker_roles import ALL_ROLES, NEED_MEDIA, load_worker_settings, parse_roles
from workflows.registry import ALL_WORKFLOWS, workflow_runner

# Longer than a create, which must not be cut off; the container's own grace must be longer still.
GRACEFUL_SHUTDOWN: Final = timedelta(seconds=75)
_BEATS_HELD_BACK_MAX: Final = timedelta(seconds=1)  # else by most of the timeout, and one late beat is death
CACHED_WORKFLOWS_MAX: Final = 2_000  # at 100 KB each
DEPLOYMENT: Final = "neurocards"
_LOOK_SECONDS: Final = 0.02

log = structlog.get_logger("worker")


async def serve(settings: Settings, stop: Stop, roles: Sequence[TaskQueue]) -> int:
    prepare_ready_file(settings)
    set_up_metrics(settings, ",".join(roles))
    set_up_traces(settings, ",".join(roles))
    health = WorkerHealth()
    async with AsyncExitStack() as stack:
        await _answer_health(settings, health, stack)
        database = await await_database(settings, stop)
        stack.push_async_callback(database.close)
        health.database = database
        client = await await_temporal(settings, stop)
        parts = WorkerParts(settings, load_kie_keys(), database, client, stack)
        activities = build_activities(parts, roles)
        await check_clock(database, utc_now)
        if NEED_MEDIA.intersection(roles):
            await check_media(settings)
        run_loops(parts, roles, settings.time_scale, stack)
        health.client = client
        around = [LogContext(parts.stores.orders.owner_of), Heartbeats(), VanishedRows()]
        build_id = settings.worker_build_id
        health.workers = [make_worker(client, queue, activities[queue], around, build_id) for queue in roles]
        return await run_workers(health, settings, stop)


async def _answer_health(settings: Settings, health: WorkerHealth, stack: AsyncExitStack) -> None:
    if settings.health_port:
        from worker_web import health_server  # noqa: PLC0415 - only who asks for a web server waits for its import

        await stack.enter_async_context(health_server(settings, health))


def make_worker(
    client: Client,
    queue: TaskQueue,
    activities: Sequence[Callable[..., Any]],
    interceptors: Sequence[Interceptor] = (),
    build_id: str = "",
) -> Worker:
    """With a build id an order stays with the version of the workers that began it."""
    has_workflows = queue is TaskQueue.ORDERS
    return Worker(
        client,
        task_queue=queue.value,
        workflows=ALL_WORKFLOWS if has_workflows else (),
        activities=activities,
        workflow_runner=workflow_runner(versioned=bool(build_id)),
        interceptors=interceptors,
        max_cached_workflows=CACHED_WORKFLOWS_MAX,
        graceful_shutdown_timeout=GRACEFUL_SHUTDOWN,
        max_heartbeat_throttle_interval=_BEATS_HELD_BACK_MAX,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        on_fatal_error=_log_fatal,
        deployment_config=_pinned_to(build_id) if has_workflows and build_id else None,
    )


def _pinned_to(build_id: str) -> WorkerDeploymentConfig:
    """Only the queue with the workflows: activities of the others are compatible, whoever takes them.

    A workflow that is nobody's order says of itself that it goes on with the current version.
    """
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(DEPLOYMENT, build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def run_workers(health: WorkerHealth, settings: Settings, stop: Stop) -> int:
    """Until a signal, or until one of them cannot go on: then all end, so that a restart is a whole one."""
    running = [asyncio.create_task(worker.run()) for worker in health.workers]
    stopping = asyncio.create_task(stop.wait())
    await _until_polling(health, [*running, stopping])
    if health.polls:
        say_ready(settings, "worker")
    await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
    log.info("worker drains")
    health.drains = True
    await asyncio.gather(*(worker.shutdown() for worker in health.workers), return_exceptions=True)
    ends: list[Any] = await asyncio.gather(*running, return_exceptions=True)
    stopping.cancel()
    return EXIT_FAILED if any(isinstance(end, BaseException) for end in ends) else 0


async def _until_polling(health: WorkerHealth, ends: Sequence[asyncio.Task[None]]) -> None:
    """Each asks the server for its namespace first."""
    while not health.polls and not any(end.done() for end in ends):  # noqa: ASYNC110 - the SDK tells nobody
        await asyncio.sleep(_LOOK_SECONDS)


async def _log_fatal(error: BaseException) -> None:
    log.error("worker cannot go on", exc_info=error)


app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, add_completion=False)


@app.command()
def main(
    role: Annotated[str, typer.Option(help="any of these, separated by commas")] = ",".join(ALL_ROLES),
) -> None:
    try:
        roles = parse_roles(role)
    except ValueError as wrong:
        sys.stderr.write(f"{wrong}\n")
        raise typer.Exit(EXIT_WRONG_SETTING) from None
    code = run_program(
        lambda settings, stop: serve(settings, stop, roles), lambda: load_worker_settings(roles)
    )
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
