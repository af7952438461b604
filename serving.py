"""What every long-running program does: read settings, wait for its servers, serve, drain, end with 0."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import structlog
from temporalio.client import Client
from temporalio.runtime import (
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError

from logs import set_up_logging
from settings import Settings, WrongSetting, load_kie_keys, load_settings
from store.database import UNAVAILABLE_ERRORS, Database, DatabaseUnavailable
from store.migrate import missing_migrations
from workflows.namespace import missing_attributes
from workflows.registry import DATA_CONVERTER

EXIT_FAILED: Final = 1
EXIT_WRONG_SETTING: Final = 2
WAIT_PAUSE_SECONDS: Final = 1.0
WAIT_REMINDER_SECONDS: Final = 30.0
_CONNECT_TIMEOUT: Final = timedelta(seconds=5)
# The SDK's threads let go of Python, or the process sometimes aborts at its very end.
_LAST_PAUSE_SECONDS: Final = 0.5

T = TypeVar("T")
log = structlog.get_logger("serving")


class NotYet(Exception):
    """What is waited for, in words for the log."""


class StopRequested(Exception):
    """SIGTERM or SIGINT came while waiting."""


class Stop:
    """Set by SIGTERM and SIGINT."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._event.set)

    async def wait(self) -> None:
        await self._event.wait()

    async def pause(self, seconds: float) -> None:
        """Raise StopRequested as soon as it is."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return
        raise StopRequested

    async def until_ready(self, probe: Callable[[], Awaitable[T]]) -> T:
        """Ask again until the probe no longer raises NotYet; say what for at once, then every 30 s."""
        said, said_at = "", 0.0
        while True:
            try:
                return await probe()
            except NotYet as not_yet:
                if str(not_yet) != said or time.monotonic() - said_at > WAIT_REMINDER_SECONDS:
                    said, said_at = str(not_yet), time.monotonic()
                    log.info("waiting", target=said)
            await self.pause(WAIT_PAUSE_SECONDS)


Program = Callable[[Settings, Stop], Awaitable[int]]


def run_program(program: Program, load: Callable[[], Settings] = load_settings) -> int:
    """The exit code. A wrong setting is one sentence and 2."""
    try:
        settings = load()
        keys = load_kie_keys()
    except WrongSetting as wrong:
        sys.stderr.write(f"{wrong}\n")
        return EXIT_WRONG_SETTING
    set_up_logging(settings.log_format, [*settings.secrets, *(key.secret for key in keys)])
    return asyncio.run(_run(program, settings))


async def _run(program: Program, settings: Settings) -> int:
    stop = Stop()
    stop.listen()
    try:
        return await program(settings, stop)
    except StopRequested:
        return 0
    except WrongSetting as wrong:
        sys.stderr.write(f"{wrong}\n")
        return EXIT_WRONG_SETTING
    finally:
        await asyncio.sleep(_LAST_PAUSE_SECONDS)


async def reach_database(settings: Settings) -> Database:
    """Raise NotYet without a server."""
    try:
        return await Database.connect(settings.database_url.get_secret_value())
    except DatabaseUnavailable as error:
        raise NotYet(f"PostgreSQL at {_shown(settings)} ({error})") from None


async def connect_database(settings: Settings) -> Database:
    """Raise NotYet without a server, and without the schema this version needs."""
    database = await reach_database(settings)
    try:
        missing = await missing_migrations(database)
    except UNAVAILABLE_ERRORS as error:
        await database.close()
        raise NotYet(f"PostgreSQL at {_shown(settings)} ({type(error).__name__})") from None
    if missing:
        await database.close()
        raise NotYet(f"the database schema ({', '.join(missing)}): run admin_main.py setup")
    return database


async def reach_temporal(settings: Settings) -> Client:
    """Raise NotYet without a server."""
    try:
        client = await temporal_client(settings)
        await client.service_client.check_health(timeout=_CONNECT_TIMEOUT)
    except RPCError as error:
        raise NotYet(f"Temporal at {settings.temporal_address} ({error.status.name})") from None
    except RuntimeError:  # the SDK's word for "cannot connect"
        raise NotYet(f"Temporal at {settings.temporal_address}") from None
    return client


async def connect_temporal(settings: Settings) -> Client:
    """Raise NotYet without a server, its namespace or its search attributes."""
    client = await reach_temporal(settings)
    try:
        missing = await missing_attributes(client)
    except RPCError as error:
        raise NotYet(
            f"Temporal namespace {settings.temporal_namespace} ({error.status.name}): run admin_main.py setup"
        ) from None
    if missing:
        raise NotYet(f"Temporal search attributes ({', '.join(missing)}): run admin_main.py setup")
    return client


async def temporal_client(
    settings: Settings, *, lazy: bool = False, runtime: Runtime | None = None
) -> Client:
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=DATA_CONVERTER,
        connect_timeout=_CONNECT_TIMEOUT,
        lazy=lazy,
        runtime=runtime,
    )


def set_up_metrics(settings: Settings, role: str) -> None:
    """Temporal's own metrics and ours on one port; one port per process. Before the first client."""
    quiet = LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"))
    metrics = PrometheusConfig(
        bind_address=f"{settings.web_host}:{settings.metrics_port}",
        durations_as_seconds=True,
        counters_total_suffix=True,
        unit_suffix=True,
    )
    telemetry = TelemetryConfig(
        logging=quiet,
        metrics=metrics if settings.metrics_port else None,
        global_tags={"app": "neurocards", "role": role},
    )
    try:
        runtime = Runtime(telemetry=telemetry)
    except (RuntimeError, ValueError) as error:
        raise WrongSetting(f"METRICS_PORT: {settings.metrics_port} cannot be used: {error}") from None
    Runtime.set_default(runtime, error_if_already_set=True)


def say_ready(settings: Settings, program: str) -> None:
    log.info("serving", program=program)
    if settings.ready_file:
        Path(settings.ready_file).touch()


def _shown(settings: Settings) -> str:
    """The address without user and password."""
    return settings.database_url.get_secret_value().rpartition("@")[2].partition("?")[0].split("://")[-1]
