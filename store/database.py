"""The connection pool, and SQL by name. Nothing outside `store/` imports asyncpg."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiosql
import asyncpg
from asyncpg.pool import PoolConnectionProxy

from schema import QUERIES_DIR

POOL_CONNECTIONS_MAX: Final = 4

Connection = PoolConnectionProxy
Row = asyncpg.Record


def load_queries(part: str) -> Any:
    """The queries of `schema/queries/<part>.sql`, callable by name with a connection first."""
    # The parameters stand in the SQL itself; a second list of them would only drift.
    return aiosql.from_path(QUERIES_DIR / f"{part}.sql", "asyncpg", mandatory_parameters=False)


class DatabaseUnavailable(Exception):
    """PostgreSQL cannot be reached or does not answer. Nothing was decided."""


UNAVAILABLE_ERRORS: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.ReadOnlySQLTransactionError,  # a standby: the primary is elsewhere just now
)

# Whoever creates the database and its user may come after us.
_NOT_SET_UP_ERRORS: Final = (asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError)


_WORDS: Final[dict[type[BaseException], str]] = {
    ConnectionRefusedError: "nobody listens there",
    socket.gaierror: "there is no such host",
    asyncpg.InvalidCatalogNameError: "there is no such database yet",
    asyncpg.InvalidPasswordError: "user or password is refused",
    asyncpg.InvalidAuthorizationSpecificationError: "user or password is refused",
    asyncpg.CannotConnectNowError: "it is just starting",
}


def _in_words(error: BaseException) -> str:
    """For whoever waits for the database in front of a terminal."""
    return next((words for kind, words in _WORDS.items() if isinstance(error, kind)), type(error).__name__)


class Database:
    """One pool per process."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, url: str, connections_max: int = POOL_CONNECTIONS_MAX) -> "Database":
        """Raise DatabaseUnavailable when nobody answers there."""
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=connections_max,
                init=_prepare_connection,
                reset=_leave_session,
                command_timeout=30,
            )
        except (*UNAVAILABLE_ERRORS, *_NOT_SET_UP_ERRORS) as error:
            raise DatabaseUnavailable(_in_words(error)) from error
        return cls(pool)

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Everything inside commits together, or not at all."""
        async with self._pool.acquire() as connection, connection.transaction():
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
