"""What a command works with. Somebody sits at the terminal: a missing server is an answer, not a wait."""

import asyncio
import errno
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Final, Never, TypeVar

import typer
from temporalio.client import Client
from temporalio.service import RPCError

from admin.console import EXIT_INTERRUPTED, Interrupted, Refused, end, fail
from clients.payload_codec import CannotDecrypt
from environment import WrongSetting
from serving import (
    EXIT_WRONG_SETTING,
    NotYet,
    Stop,
    StopRequested,
    connect_database,
    connect_temporal,
    reach_temporal,
    run_program,
)
from settings import Settings
from store.database import UNAVAILABLE_ERRORS, WRONG_SCHEMA_ERRORS, Database
from workflows.namespace import WrongAttributes

T = TypeVar("T")

NOTHING_CHANGED: Final = "nothing was changed"
_LET_GO_SECONDS_MAX: Final = 2.0
_TRY_AGAIN: Final = "look with doctor, try again"
_SAFE_AGAIN: Final = "what it had begun to change may be changed; the same command again does nothing twice"
_OF_THIS_MACHINE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENFILE}


class Tools:
    """Connected when first asked for, closed at the end. Raise Refused for what is not there.

    `unsure` is said where the answer to a deed may have got lost: what may have happened, and how to look.
    """

    def __init__(
        self, settings: Settings, stop: Stop, stack: AsyncExitStack, *, only_reads: bool = False
    ) -> None:
        self.settings = settings
        self.stop = stop
        self.unsure = ""
        self._stack = stack
        self._database: Database | None = None
        self._only_reads = only_reads
        self._interrupted = False
        self._reached = False

    async def database(self) -> Database:
        """With the schema of this version."""
        if self._database is None:
            self._database = await _or_refuse(connect_database, self.settings)
            self._stack.push_async_callback(self._close)
        self.may_change()
        return self._database

    async def temporal(self) -> Client:
        """With its namespace and its search attributes."""
        client = await _or_refuse(connect_temporal, self.settings)
        self.may_change()
        return client

    async def temporal_server(self) -> Client:
        """As it is, prepared or not."""
        return await _or_refuse(reach_temporal, self.settings)

    def may_change(self) -> None:
        """From here on nobody knows what is changed already when the command is interrupted."""
        self._reached = True

    async def interrupt(self) -> None:
        """A server that hangs is not waited for."""
        self._interrupted = True
        await self._close()

    async def _close(self) -> None:
        if self._database is not None:
            with suppress(*UNAVAILABLE_ERRORS):
                await asyncio.wait_for(self._database.close(), _LET_GO_SECONDS_MAX)

    def lost(self, error: Exception) -> int:
        """The exit code for a server that went away."""
        if self._interrupted:
            return self.interrupted()
        return fail(f"PostgreSQL went away meanwhile ({type(error).__name__}): {self.unsure or _TRY_AGAIN}")

    def interrupted(self) -> int:
        """The exit code."""
        may_be_changed = self._reached and not self._only_reads
        after = self.unsure or (_SAFE_AGAIN if may_be_changed else NOTHING_CHANGED)
        fail(f"interrupted: {after}")
        return EXIT_INTERRUPTED


Command = Callable[[Tools], Awaitable[int | None]]


def run(command: Command, *, only_reads: bool = False) -> Never:
    """What a Typer command ends with. None is 0; Refused, a lost server: a sentence and 1. Ctrl-C: 130."""
    raise typer.Exit(end(run_program(partial(_run, command, only_reads))))


async def _run(command: Command, only_reads: bool, settings: Settings, stop: Stop) -> int:  # noqa: FBT001 - bound by `run`
    async with AsyncExitStack() as stack:
        tools = Tools(settings, stop, stack, only_reads=only_reads)
        work = asyncio.create_task(_done(command, tools))
        asked = asyncio.create_task(stop.wait())
        await asyncio.wait((work, asked), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not work.done():
            _end_at_once_next_time()
            work.cancel()
            await tools.interrupt()
        return await work


def _end_at_once_next_time() -> None:
    """Who asks twice does not want to wait for anything to be put in order."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)


async def _done(command: Command, tools: Tools) -> int:
    try:
        return await command(tools) or 0
    except Refused as refused:
        fail(str(refused))
        return refused.code
    except Interrupted:
        fail(NOTHING_CHANGED)
        return EXIT_INTERRUPTED
    except (asyncio.CancelledError, StopRequested):
        return tools.interrupted()
    except WRONG_SCHEMA_ERRORS as error:
        return fail(f"this login may not do it, or the schema is another one: {error}; ask doctor")
    except UNAVAILABLE_ERRORS as lost:
        if isinstance(lost, OSError) and is_of_this_machine(lost):
            return fail(f"this machine does not let us: {in_words(lost)}")
        return tools.lost(lost)
    except (RPCError, CannotDecrypt) as error:
        return fail(_of_temporal(error, tools.unsure or _TRY_AGAIN))


def _of_temporal(error: RPCError | CannotDecrypt, do: str) -> str:
    if isinstance(error, CannotDecrypt):
        return error.what_to_do
    return f"Temporal did not do it ({error.status.name}): {do}"


def is_of_this_machine(error: OSError) -> bool:
    """A file, a folder or a disk; what a connection raises names no file."""
    return error.filename is not None or error.errno in _OF_THIS_MACHINE


def in_words(error: OSError) -> str:
    named = f"{error.filename}: " if error.filename else ""
    return f"{named}{error.strerror or type(error).__name__}"


async def _or_refuse(connect: Callable[[Settings], Awaitable[T]], settings: Settings) -> T:
    try:
        return await connect(settings)
    except NotYet as missing:
        raise Refused(f"cannot go on without {missing}") from None
    except WrongAttributes as wrong:
        raise Refused(str(wrong)) from None
    except WrongSetting as wrong:
        raise Refused(str(wrong), EXIT_WRONG_SETTING) from None
