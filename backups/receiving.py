"""WAL as it is written: received without a pause, kept every few seconds."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from backups import programs
from backups.keeping import HISTORY, PART, Kept
from backups.programs import ProgramFailed, Server
from domain.backups import Segment

SLOT: Final = "neurocards_backup"
_SLOT_SECONDS_MAX: Final = 30.0
_ALREADY_EXISTS: Final = "42710"  # the message itself is in the server's language

_log = structlog.get_logger("backup")


class Receiver:
    """pg_receivewal. For its slot PostgreSQL keeps what is not received yet, up to a limit."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def ensure_running(self) -> bool:
        """False: it had to be started, and nobody knows yet whether it stays. Raise ProgramFailed."""
        if self._process is not None and self._process.returncode is None:
            return True
        await self._say_why_it_ended()
        self._folder.mkdir(parents=True, exist_ok=True)
        await self._ensure_slot()
        self._process = await programs.start(
            "pg_receivewal",
            f"--slot={SLOT}",
            f"--directory={self._folder}",
            "--no-loop",
            "--status-interval=5",
            server=self._server,
        )
        return False

    async def begin_anew(self) -> None:
        """Without the slot, and the segment that will never be finished. Raise ProgramFailed."""
        await self.stop()
        await programs.run(
            "pg_receivewal",
            f"--slot={SLOT}",
            "--drop-slot",
            server=self._server,
            timeout_seconds=_SLOT_SECONDS_MAX,
        )
        for path in self._folder.glob(f"*{PART}"):
            path.unlink()

    async def stop(self) -> None:
        if self._process is not None:
            await programs.end(self._process)

    async def _ensure_slot(self) -> None:
        """pg_receivewal's own keeps no WAL before it was read from: a checkpoint could come in between."""
        try:
            await programs.run(
                "psql",
                "--no-psqlrc",
                "--set=VERBOSITY=verbose",
                f"--command=CREATE_REPLICATION_SLOT {SLOT} PHYSICAL RESERVE_WAL",
                server=self._server.replicating(),
                timeout_seconds=_SLOT_SECONDS_MAX,
            )
        except ProgramFailed as failed:
            if _ALREADY_EXISTS not in str(failed):
                raise

    async def _say_why_it_ended(self) -> None:
        if self._process is None or self._process.stderr is None:
            return
        said = (await self._process.stderr.read()).decode(errors="replace")
        self._process = None
        if said.strip():
            _log.warning("WAL is not received", why=programs.in_a_sentence("pg_receivewal", said))


class Shipper:
    """Keeps whole segments and throws them away here; of the unfinished one, what there is by now."""

    def __init__(self, kept: Kept, folder: Path) -> None:
        self._kept = kept
        self._folder = folder
        self._seen: Mapping[str, int] = {}

    async def ship(self) -> int:
        """How many files had changed and are kept. Raise BackupsUnavailable."""
        seen = {path.name: path.stat().st_mtime_ns for path in sorted(self._folder.glob("*"))}
        changed = [name for name, at in seen.items() if self._seen.get(name) != at and _is_wal(name)]
        for name in changed:
            await self._ship(self._folder / name)
        self._seen = seen
        return len(changed)

    async def _ship(self, path: Path) -> None:
        """An unfinished segment becomes a whole one under our hands: then that is next."""
        with suppress(FileNotFoundError):
            if path.name.endswith(HISTORY):
                await self._kept.keep_history(path)
            else:
                await self._kept.keep_wal(path)
                _throw_away_whole(path)

    def forget_other_timelines(self, timeline: int) -> None:
        """Of the world before a restore: the receiver would go on from there, and no server would follow."""
        for path in self._folder.glob("*"):
            segment = Segment.named(path.name.removesuffix(PART))
            if segment is not None and segment.timeline != timeline:
                path.unlink()


def _throw_away_whole(path: Path) -> None:
    if not path.name.endswith(PART):
        path.unlink()


def _is_wal(name: str) -> bool:
    return name.endswith(HISTORY) or Segment.named(name.removesuffix(PART)) is not None
