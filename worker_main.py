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
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities.contracts import TaskQueue
from serving import (
    EXIT_FAILED,
    EXIT_WRONG_SETTING,
    Stop,
    connect_database,
    connect_temporal,
    run_program,
    say_ready,
    set_up_metrics,
)
from settings import Settings, load_kie_keys, load_settings, require, require_kie_key
from worker_parts import build_activities
from workflows.registry import ALL_WORKFLOWS, workflow_runner

# Longer than a create, which must not be cut off; the container's own grace must be longer still.
GRACEFUL_SHUTDOWN: Final = timedelta(seconds=75)
CACHED_WORKFLOWS_MAX: Final = 2_000  # at 100 KB each
ALL_ROLES: Final = tuple(queue.value for queue in TaskQueue)

log = structlog.get_logger("worker")


def parse_roles(text: str) -> tuple[TaskQueue, ...]:
    """Raise ValueError with the sentence for whoever typed it."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in ALL_ROLES]
    if unknown or not names:
        raise ValueError(
            f"--role: unknown {', '.join(unknown) or 'nothing'}, choose from {','.join(ALL_ROLES)}"
        )
    return tuple(queue for queue in TaskQueue if queue.value in names)


def load_worker_settings() -> Settings:
    settings = load_settings()
    require(settings, "BOT_TOKEN")
    require_kie_key(load_kie_keys())
    return settings


async def serve(settings: Settings, stop: Stop, roles: Sequence[TaskQueue]) -> int:
    set_up_metrics(settings, ",".join(roles))
    database = await stop.until_ready(lambda: connect_database(settings))
    client = await stop.until_ready(lambda: connect_temporal(settings))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        activities = build_activities(settings, load_kie_keys(), database, client, stack)
        workers = [make_worker(client, queue, activities[queue]) for queue in roles]
        return await run_workers(workers, settings, stop)


def make_worker(client: Client, queue: TaskQueue, activities: Sequence[Callable[..., Any]]) -> Worker:
    return Worker(
        client,
        task_queue=queue.value,
        workflows=ALL_WORKFLOWS if queue is TaskQueue.ORDERS else (),
        activities=activities,
        workflow_runner=workflow_runner(),
        max_cached_workflows=CACHED_WORKFLOWS_MAX,
        graceful_shutdown_timeout=GRACEFUL_SHUTDOWN,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        on_fatal_error=_log_fatal,
    )


async def run_workers(workers: Sequence[Worker], settings: Settings, stop: Stop) -> int:
    """Until a signal, or until one of them cannot go on: then all end, so that a restart is a whole one."""
    running = [asyncio.create_task(worker.run()) for worker in workers]
    stopping = asyncio.create_task(stop.wait())
    say_ready(settings, "worker")
    await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
    log.info("worker drains")
    await asyncio.gather(*(worker.shutdown() for worker in workers), return_exceptions=True)
    ends: list[Any] = await asyncio.gather(*running, return_exceptions=True)
    stopping.cancel()
    return EXIT_FAILED if any(isinstance(end, BaseException) for end in ends) else 0


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
    raise typer.Exit(run_program(lambda settings, stop: serve(settings, stop, roles), load_worker_settings))


if __name__ == "__main__":
    app()
