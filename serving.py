"""What every long-running program does: read settings, wait for its servers, serve, drain, end with 0."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.runtime import (
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError

from clients.payload_codec import payload_codec
from environment import WrongSetting
from logs import set_up_logging
from settings import Settings, load_kie_keys, load_settings
from store.database import (
    UNAVAILABLE_ERRORS,
    Database,
    DatabaseUnavailable,
    WrongDatabaseAddress,
    in_words,
)
from store.migrate import login_of, missing_migrations, unusable_tables
from telemetry import instruments, metrics, tracing
from workflows.namespace import WrongAttributes, missing_attributes
from workflows.registry import data_converter

EXIT_FAILED: Final = 1
EXIT_WRONG_SETTING: Final = 2
WAIT_PAUSE_SECONDS: Final = 1.0
WAIT_REMINDER_SECONDS: Final = 30.0
SILENCE_SECONDS_MAX: Final = 2.0  # then whoever looks on is told what hangs
_NAMED_MAX: Final = 5
_CONNECT_TIMEOUT: Final = timedelta(seconds=5)
_PROBE_TIMEOUT: Final = timedelta(seconds=3)
# The SDK's threads let go of Python, or the process sometimes aborts at its very end.
_LAST_PAUSE_SECONDS: Final = 0.5

_TEMPORAL_WORDS: Final = {  # the SDK tells only a dump of its insides
    "dns error": "there is no such host",
    "ConnectionRefused": "nobody listens there",
    "http2 error": "it speaks another protocol, or TLS: is it Temporal's gRPC port?",
    "ConnectionReset": "it cuts the connection off: is it Temporal?",
    "BrokenPipe": "it cuts the connection off: is it Temporal?",
    "UnexpectedEof": "it cuts the connection off: is it Temporal?",
    "imed out": "it does not answer",
    "imedOut": "it does not answer",
}

T = TypeVar("T")
log = structlog.get_logger("serving")


class NotYet(Exception):
    """What is waited for, in words for the log."""


class StopRequested(Exception):
    """SIGTERM or SIGINT came while waiting."""


class CannotStart(Exception):
    """One sentence: what is wrong with the machine or a server, and what to do. The program ends with 1."""


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

    async def until_ready(
        self, probe: Callable[[], Awaitable[T]], patience_seconds: float = inf, target: str = "a server"
    ) -> T:
        """Ask again until the probe no longer raises NotYet; say what for at once, then every 30 s.

        `target` is what has not answered at all yet. Raise CannotStart when the patience is over.
        """
        waiting = _Waiting(target, patience_seconds)
        while True:
            try:
                return await self._asked(probe, waiting)
            except NotYet as not_yet:
                waiting.goes_on(str(not_yet))
            await self.pause(WAIT_PAUSE_SECONDS)

    async def _asked(self, probe: Callable[[], Awaitable[T]], waiting: "_Waiting") -> T:
        """A server that hangs keeps nobody from ending, and is told of, too."""
        asked = asyncio.ensure_future(probe())
        stopping = asyncio.create_task(self._event.wait())
        try:
            while not asked.done():
                await asyncio.wait(
                    (asked, stopping), timeout=SILENCE_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED
                )
                if not asked.done():
                    waiting.hangs()
                    if stopping.done():
                        raise StopRequested
            return asked.result()
        finally:
            stopping.cancel()
            await _cancelled(asked)


class _Waiting:
    def __init__(self, target: str, patience_seconds: float) -> None:
        self._target = target
        self._patience_seconds = patience_seconds
        self._began_at = time.monotonic()
        self._said, self._said_at = "", 0.0

    def hangs(self) -> None:
        if not self._said or time.monotonic() - self._said_at > WAIT_REMINDER_SECONDS:
            self._say(self._said or f"{self._target} (no answer yet)")

    def goes_on(self, what: str) -> None:
        """Raise CannotStart when the patience is over."""
        now = time.monotonic()
        if now - self._began_at >= self._patience_seconds:
            raise CannotStart(_waited_for(what, now - self._began_at)) from None
        if what != self._said or now - self._said_at > WAIT_REMINDER_SECONDS:
            self._say(what)

    def _say(self, what: str) -> None:
        self._said, self._said_at = what, time.monotonic()
        log.info("waiting", target=what)


def _waited_for(what: str, seconds: float) -> str:
    return f"cannot start without {what}; waited for {seconds:.0f} s (START_WAIT_SECONDS)"


async def _cancelled(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.cancel()
        await asyncio.wait((future,), timeout=WAIT_PAUSE_SECONDS)


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
    except (CannotStart, WrongAttributes) as reason:
        sys.stderr.write(f"{reason}\n")
        return EXIT_FAILED
    finally:
        await asyncio.to_thread(tracing.end)
        await asyncio.sleep(_LAST_PAUSE_SECONDS)


async def await_database(settings: Settings, stop: Stop) -> Database:
    """With its schema. Raise CannotStart, StopRequested, WrongSetting."""
    target = f"PostgreSQL at {_shown(settings)}"
    return await stop.until_ready(lambda: connect_database(settings), settings.start_wait_seconds, target)


async def await_temporal(settings: Settings, stop: Stop) -> Client:
    """With its namespace. Raise CannotStart, StopRequested, WrongSetting, WrongAttributes."""
    target = f"Temporal at {settings.temporal_address}"
    return await stop.until_ready(lambda: connect_temporal(settings), settings.start_wait_seconds, target)


async def reach_database(settings: Settings) -> Database:
    """Raise NotYet without a server, WrongSetting for an address that is good for none."""
    try:
        return await Database.connect(settings.database_url.get_secret_value())
    except WrongDatabaseAddress as wrong:
        raise WrongSetting(f"DATABASE_URL: {wrong}") from None
    except DatabaseUnavailable as error:
        raise NotYet(f"PostgreSQL at {_shown(settings)} ({error})") from None


async def connect_database(settings: Settings) -> Database:
    """Raise NotYet without a server, and without the schema and the rights this version needs."""
    async with AsyncExitStack() as stack:
        database = await reach_database(settings)
        stack.push_async_callback(database.close)
        try:
            await _check_schema(settings, database)
        except UNAVAILABLE_ERRORS as error:
            raise NotYet(f"PostgreSQL at {_shown(settings)} ({in_words(error)})") from None
        stack.pop_all()
    return database


async def _check_schema(settings: Settings, database: Database) -> None:
    """Raise NotYet: bot and workers would find out in the middle of an order."""
    missing = await missing_migrations(database)
    if missing:
        raise NotYet(f"the database schema ({', '.join(missing)}): run admin_main.py setup")
    unusable = await unusable_tables(database)
    if unusable:
        login = login_of(settings.database_url.get_secret_value()) or "this login"
        named = f"{', '.join(unusable[:_NAMED_MAX])}{' and more' if len(unusable) > _NAMED_MAX else ''}"
        raise NotYet(
            f"the database tables {named}: not there, or closed to {login}; run admin_main.py setup,"
            " then ask admin_main.py doctor"
        )


async def reach_temporal(settings: Settings) -> Client:
    """Raise NotYet without a server, WrongSetting for an address that is none."""
    where = f"Temporal at {settings.temporal_address}"
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT.total_seconds()):
            client = await temporal_client(settings)
            await client.service_client.check_health(timeout=_CONNECT_TIMEOUT)
    except TimeoutError:
        raise NotYet(f"{where} (it does not answer)") from None
    except RPCError as error:
        raise NotYet(f"{where} ({error.status.name})") from None
    except ValueError as error:
        raise WrongSetting(f"TEMPORAL_ADDRESS: {settings.temporal_address} cannot be used: {error}") from None
    except RuntimeError as error:  # the SDK's word for "cannot connect"
        raise NotYet(f"{where} ({_why_no_temporal(str(error))})") from None
    return client


def _why_no_temporal(said: str) -> str:
    return next((words for sign, words in _TEMPORAL_WORDS.items() if sign in said), "no connection")


async def connect_temporal(settings: Settings) -> Client:
    """Raise NotYet without a server, its namespace or its search attributes; WrongAttributes."""
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
        data_converter=temporal_converter(settings.temporal_payload_key),
        connect_timeout=_CONNECT_TIMEOUT,
        lazy=lazy,
        runtime=runtime,
        interceptors=tracing.interceptors(),
    )


async def database_answers(database: Database) -> bool:
    try:
        async with database.connection() as connection:
            await connection.execute("select 1")
    except UNAVAILABLE_ERRORS:
        return False
    return True


async def temporal_answers(client: Client) -> bool:
    try:
        return await client.service_client.check_health(timeout=_PROBE_TIMEOUT)
    except (RPCError, RuntimeError):  # RuntimeError: a lazy client that could not connect
        return False


def temporal_converter(payload_key: SecretStr) -> DataConverter:
    """What bot, workers and command line must agree on to read what the others wrote."""
    codec = payload_codec(payload_key)
    return data_converter(codec, hides_failures=codec.encrypts)


def set_up_metrics(settings: Settings, role: str) -> None:
    """Temporal's own metrics and ours on one port; one port per process. Before the first client."""
    quiet = LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"))
    endpoint = PrometheusConfig(
        bind_address=f"{settings.web_host}:{settings.metrics_port}",
        durations_as_seconds=True,
        counters_total_suffix=True,
        unit_suffix=True,
        histogram_bucket_overrides=metrics.buckets(),
    )
    telemetry = TelemetryConfig(
        logging=quiet,
        metrics=endpoint if settings.metrics_port else None,
        global_tags={"app": "neurocards", "role": role},
    )
    try:
        runtime = Runtime(telemetry=telemetry)
    except (RuntimeError, ValueError) as error:
        raise WrongSetting(f"METRICS_PORT: {settings.metrics_port} cannot be used: {error}") from None
    Runtime.set_default(runtime, error_if_already_set=True)
    instruments.use(runtime.metric_meter)


def set_up_traces(settings: Settings, program: str) -> None:
    """Before the first client."""
    if settings.otel_exporter_otlp_endpoint:
        tracing.begin(settings.otel_exporter_otlp_endpoint, program)


def prepare_ready_file(settings: Settings) -> None:
    """One of an earlier run says nothing of this one. Raise WrongSetting where it could not be made."""
    path = Path(settings.ready_file)
    try:
        if settings.ready_file:
            path.touch()
            path.unlink()
    except OSError as error:
        raise WrongSetting(f"READY_FILE: {path} cannot be written: {error.strerror}") from None


def say_ready(settings: Settings, program: str) -> None:
    log.info("serving", program=program)
    if settings.ready_file:
        Path(settings.ready_file).touch()


def _shown(settings: Settings) -> str:
    """The address without user and password."""
    return settings.database_url.get_secret_value().rpartition("@")[2].partition("?")[0].split("://")[-1]
