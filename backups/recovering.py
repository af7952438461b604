"""PostgreSQL on a restored folder, replaying WAL: on a port of its own, where no program looks for it."""

import asyncio
import os
import shlex
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from backups import programs
from children import end_with_parent
from domain.addresses import parameters_of
from domain.backups import CannotRestore, RestorePlan

_LOCALHOST: Final = "127.0.0.1"
_LOOK_SECONDS: Final = 0.2
_RECOVERY_SECONDS_MAX: Final = 6 * 3600.0
_LOGIN_PARAMETERS: Final = frozenset({"user", "password", "dbname", "database"})
_NO_FATAL: Final = "it ended without a word"
_PORT_TRIES: Final = 5
_TAKEN: Final = "Address already in use"
_BEYOND: Final = "recovery ended before configured recovery target was reached"


def prepare_recovery(data: Path, wal: Path) -> None:
    """From here on PostgreSQL asks for WAL instead of believing that it ended."""
    (data / "recovery.signal").touch()
    programs.let_server_user_in(data.parent)
    for folder in (data, wal):
        programs.give_to_server_user(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOCALHOST, 0))
        return int(probe.getsockname()[1])


class _PortTaken(CannotRestore):
    """Nothing was replayed yet: it listens first."""


@asynccontextmanager
async def recovered_server(data: Path, wal: Path, plan: RestorePlan, log: Path) -> AsyncIterator[int]:
    """The port of a server that has replayed all of it and takes connections; stopped cleanly afterwards.

    Raise CannotRestore in PostgreSQL's own words.
    """
    async with AsyncExitStack() as running:
        for tries_left in reversed(range(_PORT_TRIES)):
            port = _free_port()
            try:
                await running.enter_async_context(_server_on(port, data, wal, plan, log))
                break
            except _PortTaken:
                if not tries_left:
                    raise
        yield port


@asynccontextmanager
async def _server_on(port: int, data: Path, wal: Path, plan: RestorePlan, log: Path) -> AsyncIterator[None]:
    with tempfile.TemporaryDirectory(prefix="nc-") as sockets, log.open("wb") as said:
        programs.give_to_server_user(Path(sockets))
        process = await asyncio.create_subprocess_exec(
            programs.bin_dir() / "postgres",
            "-D",
            data,
            *_options(port, sockets, wal, plan),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=data,
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGINT),
            **programs.as_server_user(),
        )
        try:
            await _until_ready(process, port, log)
            yield
        finally:
            await _stop(process)


def _options(port: int, sockets: str, wal: Path, plan: RestorePlan) -> list[str]:
    """On the command line: none of it stays in the folder. `hot_standby` off asks for no size of the first
    server; `full_page_writes` and the rest are as they were.
    """
    begins_on_it = plan.base.end.timeline == plan.line.timeline
    options = {
        "port": str(port),
        "listen_addresses": _LOCALHOST,
        "unix_socket_directories": sockets,
        "hot_standby": "off",
        "archive_mode": "off",
        "logging_collector": "off",
        "log_destination": "stderr",
        "max_connections": "20",
        "ssl": "off",
        "restore_command": f'cp {shlex.quote(str(wal))}/%f "%p"',
        "recovery_target_timeline": "current" if begins_on_it else str(plan.line.timeline),
        "recovery_target_action": "promote",
    }
    if plan.to is not None:
        options["recovery_target_time"] = plan.to.isoformat()
    return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]


async def _until_ready(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    async with asyncio.timeout(_RECOVERY_SECONDS_MAX):
        while process.returncode is None:
            if await _answers(port):
                return
            await asyncio.sleep(_LOOK_SECONDS)
    raise _cannot_recover(log)


def _cannot_recover(log: Path) -> CannotRestore:
    said = log.read_text(errors="replace")
    if _BEYOND in said:
        return CannotRestore(
            "the WAL under BACKUP_URL ends before that moment: name an earlier one with --to"
        )
    if _TAKEN in said:
        return _PortTaken(f"PostgreSQL found no free port of {_LOCALHOST} in {_PORT_TRIES} tries")
    fatal = [line.partition("FATAL:")[2].strip() for line in said.splitlines() if "FATAL:" in line]
    return CannotRestore(f"PostgreSQL cannot recover: {fatal[-1] if fatal else _NO_FATAL}")


async def _answers(port: int) -> bool:
    asked = await asyncio.create_subprocess_exec(
        programs.bin_dir() / "pg_isready",
        "--quiet",
        f"--host={_LOCALHOST}",
        f"--port={port}",
        "--timeout=3",
        stdin=asyncio.subprocess.DEVNULL,
    )
    return await asked.wait() == 0


async def _stop(process: asyncio.subprocess.Process) -> None:
    """ "Fast": everybody is cut off, everything is written."""
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
        await process.wait()


def url_on(port: int, url: str) -> str:
    """The same login and database, on the recovered server."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    netloc = f"{login}@{_LOCALHOST}:{port}" if login else f"{_LOCALHOST}:{port}"
    login_too = [f"{name}={value}" for name, value in parameters_of(parts) if name in _LOGIN_PARAMETERS]
    return urlunsplit(parts._replace(netloc=netloc, query="&".join(login_too)))
