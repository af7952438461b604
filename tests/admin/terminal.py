"""A person's terminal in front of admin_main.py."""

import asyncio
import os
import pty
import select
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.run.programs import ROOT, START_SECONDS_MAX, surroundings


@dataclass
class Terminal:
    """`ours` is the person's end of it."""

    ours: int
    theirs: int

    async def runs(self, *arguments: str, settings: Mapping[str, str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "admin_main.py",
            *arguments,
            cwd=ROOT,
            env=surroundings(settings) | {"TERM": "xterm"},
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            start_new_session=True,
        )

    async def shows(self, words: str) -> str:
        """Everything until these words."""
        return await asyncio.to_thread(self._read_until, words)

    def types(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def _read_until(self, words: str) -> str:
        seen, until = b"", time.monotonic() + START_SECONDS_MAX
        while words.encode() not in seen:
            readable, _, _ = select.select([self.ours], [], [], max(0.0, until - time.monotonic()))
            assert readable, f"never: {words}; but: {seen.decode()}"
            seen += os.read(self.ours, 4096)
        return seen.decode().replace("\r\n", "\n")


@contextmanager
def terminal(columns: int = 80) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, columns))
    try:
        yield Terminal(ours, theirs)
    finally:
        os.close(ours)
        os.close(theirs)


async def code_of(process: asyncio.subprocess.Process) -> int:
    return await asyncio.wait_for(process.wait(), START_SECONDS_MAX)
