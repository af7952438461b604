"""A login that backups are taken with, tried as PostgreSQL's programs use it."""

import asyncio
from contextlib import closing

import psycopg
from psycopg.pq import ExecStatus

from store.migrate import CONNECT_TIMEOUT_SECONDS


class CannotReplicate(Exception):
    """In PostgreSQL's words: no password is among them."""


async def replicated_system(url: str) -> str:
    """The id of the instance that the login may copy. Raise CannotReplicate."""
    try:
        return await asyncio.to_thread(_identify, url)
    except psycopg.ProgrammingError:
        raise CannotReplicate("is no address of PostgreSQL") from None  # it would be quoted
    except psycopg.Error as error:
        raise CannotReplicate(" ".join(str(error).split()) or type(error).__name__) from None


def _identify(url: str) -> str:
    """The replication protocol is another one: no SQL, and rules of its own in pg_hba.conf."""
    connection = psycopg.connect(url, replication="true", connect_timeout=CONNECT_TIMEOUT_SECONDS)
    with closing(connection):
        answer = connection.pgconn.exec_(b"IDENTIFY_SYSTEM")
        if answer.status != ExecStatus.TUPLES_OK:
            raise CannotReplicate(answer.error_message.decode(errors="replace").strip())
        return (answer.get_value(0, 0) or b"").decode()
