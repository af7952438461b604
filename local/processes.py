"""Child processes with their own log file, ended by their own pid, in the order we choose."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from children import end_with_parent

LOCALHOST: Final = "127.0.0.1"
LOG_TAIL_LINES: Final = 12
_PORTS: Final = range(20_000, 32_768)  # from there on Linux gives them away by itself
_RESERVED_MAX: Final = 256  # each is an open file
STOP_TIMEOUT_SECONDS: Final = 20.0

_reserved: deque[socket.socket] = deque()


class ChildFailed(Exception):
    """One sentence: which program ended, never became ready or refused something, and where its log is."""


class Child:
    """One process in a session of its own, so that Ctrl-C in the terminal reaches only us."""

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process,
        log_path: Path,
        stop_signal: int,
        log_offset_bytes: int = 0,
    ) -> None:
        self.name = name
        self.log_path = log_path
        self._process = process
        self._stop_signal = stop_signal
        self._log_offset_bytes = log_offset_bytes

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        return await self._process.wait()

    async def kill(self) -> None:
        """As `kill -9` does: nothing is drained."""
        self._signal(signal.SIGKILL)
        await self.wait()

    async def stop(self, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> int:
        """Ask it to end; end it when it does not."""
        self._signal(self._stop_signal)
        try:
            return await asyncio.wait_for(self.wait(), timeout_seconds)
        except TimeoutError:
            await self.kill()
            return await self.wait()

    def log_tail(self) -> str:
        """Of this start only: an earlier one's lines would mislead."""
        log = self.log_path.read_bytes() if self.log_path.exists() else b""
        lines = log[self._log_offset_bytes :].decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def failed(self, what: str) -> ChildFailed:
        return ChildFailed(f"{self.name} {what}; its log is {self.log_path}\n{self.log_tail()}".rstrip())

    def refused(self, what: str) -> ChildFailed:
        """It runs, and has said what is wrong: the lines of its log would only repeat that."""
        return ChildFailed(f"{self.name} {what}; its log is {self.log_path}")

    def _signal(self, number: int) -> None:
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


class ChildOwner:
    """Something that is a child process once it was started."""

    title = "it"
    started_child: Child | None = None

    @property
    def child(self) -> Child:
        if self.started_child is None:
            raise RuntimeError(f"{self.title} was not started")
        return self.started_child

    async def stop(self, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> int | None:
        """The exit code; None where nothing was started."""
        return await self.started_child.stop(timeout_seconds) if self.started_child is not None else None


async def spawn(
    name: str,
    command: Sequence[str | Path],
    *,
    log_path: Path,
    env: Mapping[str, str] | None = None,
    stop_signal: int = signal.SIGTERM,
    **options: Any,
) -> Child:
    """Start it from the main thread: Linux ties the death signal to the thread that forked."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        log_offset_bytes = log.tell()
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(env) if env is not None else None,
            start_new_session=True,
            preexec_fn=end_with_parent(stop_signal),  # elsewhere the next start ends what was left
            **options,
        )
    return Child(name, process, log_path, stop_signal, log_offset_bytes)


def in_words(error: OSError) -> str:
    """A time-out of asyncio has neither a file nor a text."""
    words = error.strerror or str(error) or "does not answer"
    return f"{error.filename}: {words}" if error.filename else words


def free_port() -> int:
    """None that the system gives to whoever connects somewhere, and none that another process of ours drew.

    It would be taken before it is used, or while what uses it is started again.
    """
    while is_port_taken(port := secrets.choice(_PORTS)) or not _reserve(port):
        pass
    return port


def _reserve(port: int) -> bool:
    """By a name in Linux's abstract space: it ends with this process. Elsewhere nothing is reserved."""
    if sys.platform != "linux":
        return True
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0neurocards-port-{port}")
    except OSError:
        name.close()
        return False
    _reserved.append(name)
    if len(_reserved) > _RESERVED_MAX:
        _reserved.popleft().close()
    return True


def is_port_taken(port: int, host: str = LOCALHOST) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False


def beside_python(program: str) -> str | None:
    """A wheel puts its program next to the interpreter."""
    path = Path(sys.executable).parent / program
    return str(path) if os.access(path, os.X_OK) else None
