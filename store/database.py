"""The connection pool, and SQL by name. Nothing outside `store/` imports asyncpg."""

import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final

import aiosql
import asyncpg
from asyncpg.pool import PoolConnectionProxy

from schema import QUERIES_DIR

POOL_CONNECTIONS_MAX: Final = 4
CONNECT_TIMEOUT_SECONDS: Final = 10.0

Connection = PoolConnectionProxy
Row = asyncpg.Record


_after_commit: ContextVar[list[Callable[[], None]] | None] = ContextVar("after_commit", default=None)


def after_commit(step: Callable[[], None]) -> None:
    """Once the transaction that is open here is committed, and never if it is not; at once outside of one."""
    steps = _after_commit.get()
    if steps is None:
        step()
    else:
        steps.append(step)


def load_queries(part: str) -> Any:
    """The queries of `schema/queries/<part>.sql`, callable by name with a connection first."""
    # The parameters stand in the SQL itself; a second list of them would only drift.
    return aiosql.from_path(QUERIES_DIR / f"{part}.sql", "asyncpg", mandatory_parameters=False)


class DatabaseUnavailable(Exception):
    """PostgreSQL cannot be reached or does not answer. Nothing was decided."""


class WrongDatabaseAddress(DatabaseUnavailable):
    """It asks for what the library or this server does not know: no wait mends it."""


UNAVAILABLE_ERRORS: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke between the steps of one call
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.ReadOnlySQLTransactionError,  # a standby: the primary is elsewhere just now
)

WRONG_SCHEMA_ERRORS: Final = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InsufficientPrivilegeError,
)
"""The schema or the login's rights are not what this version needs."""

NOT_SET_UP_ERRORS: Final = (asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError)
"""Whoever creates the database and its user may come after us."""

STATEMENT_ERRORS: Final = (asyncpg.PostgresError,)
"""PostgreSQL could not do what it was asked, for whatever reason."""

_WRONG_ADDRESS_ERRORS: Final = (
    asyncpg.ClientConfigurationError,
    asyncpg.UndefinedObjectError,
    asyncpg.InvalidParameterValueError,
    asyncpg.CantChangeRuntimeParamError,
)
_WORDS: Final[dict[type[BaseException], str]] = {
    TimeoutError: "it does not answer",
    ConnectionRefusedError: "nobody listens there",
    ConnectionResetError: "it cuts the connection off: is it PostgreSQL?",
    asyncpg.ConnectionDoesNotExistError: "it cuts the connection off: is it PostgreSQL?",
    socket.gaierror: "there is no such host",
    ConnectionError: "it offers no TLS, or is no PostgreSQL",
    FileNotFoundError: "its socket, or a certificate that the address names, is not there",
    asyncpg.InvalidCatalogNameError: "there is no such database yet",
    asyncpg.InvalidPasswordError: "user or password is refused",
    asyncpg.InvalidAuthorizationSpecificationError: "user or password is refused",
    asyncpg.InsufficientPrivilegeError: "this user may not connect to this database: grant connect",
    asyncpg.CannotConnectNowError: "it is just starting",
    asyncpg.TooManyConnectionsError: "it takes no more connections",
}


def in_words(error: BaseException) -> str:
    """For whoever waits for the database in front of a terminal."""
    words = next((words for kind, words in _WORDS.items() if isinstance(error, kind)), "")
    return words or _own_words(error) or type(error).__name__


def _own_words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS fails: {error.reason}"
    if isinstance(error, asyncpg.PostgresError | asyncpg.ClientConfigurationError):
        return str(error).partition("\n")[0]
    return (isinstance(error, OSError) and error.strerror) or ""


class Database:
    """One pool per process."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, url: str, connections_max: int = POOL_CONNECTIONS_MAX) -> "Database":
        """Raise DatabaseUnavailable when nobody answers there, or lets nobody in."""
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=connections_max,
                init=_prepare_connection,
                reset=_leave_session,
                command_timeout=30,
                timeout=CONNECT_TIMEOUT_SECONDS,
            )
        except _WRONG_ADDRESS_ERRORS as error:
            raise WrongDatabaseAddress(in_words(error)) from error
        except (*UNAVAILABLE_ERRORS, asyncpg.PostgresError) as error:
            raise DatabaseUnavailable(in_words(error)) from error
        return cls(pool)

    async def close(self) -> None:
        await self._pool.close()

    async def time(self) -> datetime:
        """By the clock of PostgreSQL's machine."""
        async with self.connection() as connection:
            moment: datetime = await connection.fetchval("select clock_timestamp()")
        return moment

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Everything inside commits together, or not at all."""
        before, steps = _after_commit.get(), list[Callable[[], None]]()
        _after_commit.set(steps)
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection
        finally:
            _after_commit.set(before)
        for step in steps:
            step()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """For reading: several statements see the same moment."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """For a single statement."""
        async with self._pool.acquire() as connection:
            yield connection


async def _prepare_connection(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _leave_session(_connection: Any) -> None:
    """Sessions hold nothing of ours: no setting, lock or cursor. The usual query would double every call."""
