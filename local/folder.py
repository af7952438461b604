"""The data folder: one owner at a time, and nothing left running from the owner before."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import psutil
from pydantic import TypeAdapter, ValidationError

END_TIMEOUT_SECONDS: Final = 10.0


class FolderUnusable(Exception):
    """One sentence."""


class FolderInUse(FolderUnusable):
    """One sentence."""


@dataclass(frozen=True, slots=True)
class _Noted:
    """A pid alone may be somebody else's by the next start."""

    pid: int
    started_at: float


_NOTES: Final = TypeAdapter(list[_Noted])


class DataFolder:
    """Locked by an open file, so that a killed owner needs no cleaning up."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: IO[str] | None = None

    def take(self) -> None:
        """Raise FolderInUse while somebody else has it, FolderUnusable where there can be none."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / "lock").open("a")
        except OSError as error:
            raise FolderUnusable(
                f"{self.path} cannot hold the data: {error.strerror}; choose another: --data /some/folder"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise FolderInUse(f"Neurocards already runs on {self.path}; stop that one first") from None
        self._lock = lock
        self._end_leftovers()

    def release(self) -> None:
        if self._lock is not None:
            self._record_path.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def note(self, pids: list[int]) -> None:
        """Remember our children for a start after a kill."""
        noted = [each for pid in pids if (each := _noted(pid))]
        self.keep("processes.json", _NOTES.dump_json(noted).decode())

    def keep(self, name: str, text: str) -> Path:
        """Whole or not at all, and for our own eyes."""
        path = self.path / name
        temporary = path.with_name(f"{name}.new")
        temporary.touch(mode=0o600)
        temporary.write_text(text)
        return temporary.replace(path)

    @property
    def _record_path(self) -> Path:
        return self.path / "processes.json"

    def _notes(self) -> list[_Noted]:
        """None where nothing was left, or the disk was full when it was written."""
        try:
            return _NOTES.validate_json(self._record_path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return []

    def _end_leftovers(self) -> None:
        """Only where the owner was killed and the system did not end its children for it."""
        leftovers = [process for each in self._notes() if (process := _same_process(each))]
        for process in leftovers:
            process.terminate()
        _, alive = psutil.wait_procs(leftovers, timeout=END_TIMEOUT_SECONDS)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=END_TIMEOUT_SECONDS)


def _noted(pid: int) -> _Noted | None:
    try:
        return _Noted(pid, psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def _same_process(noted: _Noted) -> psutil.Process | None:
    if noted.pid == os.getpid():
        return None
    try:
        process = psutil.Process(noted.pid)
        return process if abs(process.create_time() - noted.started_at) < 1 else None
    except psutil.Error:
        return None
