"""What strangers sent is opened in a process of its own, and only what was made of it comes back.

A process per photo or movie: it knows no secret (its environment is empty), has a limit on memory, time and
what it writes, sees nothing of the next stranger's, and costs nothing while there is none. What it answers
is JSON and bytes, never objects: it may have been taken over by what it opened.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final

import structlog

from clients.opened import (
    PHOTO_BYTES_MAX,
    MovieFacts,
    MovieRefused,
    PictureRefused,
    PreparedPhoto,
)
from domain.failures import FailureReason

PROCESSES_MAX: Final = 2

_FOLDER: Final = Path(__file__).parents[1]
_CUT_OFF: Final = (-signal.SIGKILL, -signal.SIGTERM)
_WORDS_BYTES_MAX: Final = 300

_log = structlog.get_logger("confined")


@dataclass(frozen=True, slots=True)
class ConfinedLimits:
    """`seconds_max` is for a process that hangs, or a machine that does; the others it sets for itself."""

    memory_bytes_max: int
    cpu_seconds_max: int
    written_bytes_max: int
    seconds_max: float


# 25 megapixels of a see-through WEBP, the dearest legal photo, take 590 MB.
PHOTO_LIMITS: Final = ConfinedLimits(768 * 2**20, 10, 16_000_000, 60.0)
MOVIE_LIMITS: Final = ConfinedLimits(768 * 2**20, 20, 64_000_000, 90.0)


class ConfinedFailed(Exception):
    """It ended without an answer, by its own fault: too much memory or time, or a crash."""


class ConfinedCutOff(Exception):
    """Somebody else ended it, or the machine stood still. It says nothing about what it opened."""


class Confined:
    """At most so many at a time in this process: each may take all its memory."""

    def __init__(
        self,
        processes_max: int = PROCESSES_MAX,
        photo_limits: ConfinedLimits = PHOTO_LIMITS,
        movie_limits: ConfinedLimits = MOVIE_LIMITS,
    ) -> None:
        self._turns = asyncio.Semaphore(processes_max)
        self._photo_limits = photo_limits
        self._movie_limits = movie_limits

    async def prepare_photo(self, data: bytes) -> PreparedPhoto:
        """Raise PictureRefused with the reason a person can act on."""
        if len(data) > PHOTO_BYTES_MAX:
            raise PictureRefused(FailureReason.PHOTO_TOO_LARGE)
        try:
            answer, jpeg = await self._run(self._photo_limits, {"job": "photo"}, data)
        except ConfinedFailed:
            raise PictureRefused(FailureReason.PHOTO_FORMAT) from None
        if refused := answer.get("refused"):
            raise PictureRefused(FailureReason(refused))
        return PreparedPhoto(jpeg, int(answer["width"]), int(answer["height"]))

    async def make_sendable(self, path: Path, out_path: Path) -> MovieFacts:
        """Raise MovieRefused unless it is a movie, or can be made one, that Telegram shows as a video."""
        order = {"job": "movie", "path": str(path), "out_path": str(out_path)}
        try:
            answer, _ = await self._run(self._movie_limits, order, b"")
        except ConfinedFailed as failed:
            raise MovieRefused(str(failed)) from None
        if refused := answer.get("refused"):
            raise MovieRefused(str(refused))
        return MovieFacts(**answer["facts"])

    async def _run(
        self, limits: ConfinedLimits, order: Mapping[str, Any], data: bytes
    ) -> tuple[dict[str, Any], bytes]:
        head = json.dumps({**order, "limits": asdict(limits), "bytes": len(data)}).encode() + b"\n"
        async with self._turns:
            return await asyncio.to_thread(_run_until_ended, limits, head + data)


def _run_until_ended(limits: ConfinedLimits, sent: bytes) -> tuple[dict[str, Any], bytes]:
    """What was cut off is tried once more."""
    with suppress(ConfinedCutOff):
        return _run_once(limits, sent)
    return _run_once(limits, sent)


def _run_once(limits: ConfinedLimits, sent: bytes) -> tuple[dict[str, Any], bytes]:
    """Files take the answer and its last words: pipes would bring as much as it cares to write."""
    with TemporaryFile() as answer, TemporaryFile() as words:
        status = _status(limits, sent, answer, words)
        if status == 0:
            answer.seek(0)
            return json.loads(answer.readline()), answer.read()
        words.seek(max(0, words.seek(0, os.SEEK_END) - _WORDS_BYTES_MAX))
        said = words.read().decode("utf-8", "replace").strip()
    _log.warning("confined process failed", status=status, said=said.rpartition("\n")[2])
    if status in _CUT_OFF:
        raise ConfinedCutOff(f"ended with {status}")
    raise ConfinedFailed(f"opening it ended with {status}")


def _status(limits: ConfinedLimits, sent: bytes, answer: IO[bytes], words: IO[bytes]) -> int:
    """In a session of its own: a signal for all of us lets it finish. When we are gone, its input ends."""
    command = [sys.executable, "-P", "-s", "-m", "clients.confined_main"]
    try:
        return subprocess.run(  # noqa: S603 - our own interpreter and module
            command,
            input=sent,
            stdout=answer,
            stderr=words,
            env={"PYTHONPATH": str(_FOLDER)},
            start_new_session=True,
            timeout=limits.seconds_max,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL
