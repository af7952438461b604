"""Our programs as a person starts them, and what they leave behind."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
START_SECONDS_MAX = 170.0  # longer than a program may take to be ready


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str


def surroundings(settings: Mapping[str, str]) -> dict[str, str]:
    """Of ours only what a program needs to run at all; never the settings of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "ENV_FILE": "", **settings}


async def started(program: str, *arguments: str, settings: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        program,
        *arguments,
        cwd=ROOT,
        env=surroundings(settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(program: str, *arguments: str, settings: Mapping[str, str]) -> Ended:
    process = await started(program, *arguments, settings=settings)
    out, err = await asyncio.wait_for(process.communicate(), START_SECONDS_MAX)
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def line_with(stream: asyncio.StreamReader | None, words: str) -> str:
    """Read on until a line has these words."""
    assert stream is not None
    async with asyncio.timeout(START_SECONDS_MAX):
        while line := (await stream.readline()).decode():
            if words in line:
                return line
    raise AssertionError(f"the program ended without saying {words!r}")


def descendants(pid: int) -> list[psutil.Process]:
    return list(psutil.Process(pid).children(recursive=True))


async def all_gone(processes: list[psutil.Process], within_seconds: float = 20.0) -> bool:
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, within_seconds)
    return not alive
