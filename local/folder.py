"""The data folder: one owner at a time, and nothing left running from the owner before."""

import fcntl
import json
import os
from pathlib import Path
from typing import IO, Final

import psutil

END_TIMEOUT_SECONDS: Final = 10.0


class FolderInUse(Exception):
    """One sentence."""


class DataFolder:
    """Locked by an open file, so that a killed owner needs no cleaning up."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: IO[str] | None = None

    def take(self) -> None:
        """Raise FolderInUse while somebody else has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = (self.path / "lock").open("a")
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
        """Remember our children; a pid alone may be somebody else's by the next start."""
        known = [
            {"pid": pid, "started_at": psutil.Process(pid).create_time()}
            for pid in pids
            if psutil.pid_exists(pid)
        ]
        temporary = self._record_path.with_suffix(".new")
        temporary.write_text(json.dumps(known))
        temporary.replace(self._record_path)

    @property
    def _record_path(self) -> Path:
        return self.path / "processes.json"

    def _end_leftovers(self) -> None:
        """Only where the owner was killed and the system did not end its children for it."""
        if not self._record_path.exists():
            return
        leftovers = [
            process
            for each in json.loads(self._record_path.read_text())
            if (process := _same_process(**each))
        ]
        for process in leftovers:
            process.terminate()
        _, alive = psutil.wait_procs(leftovers, timeout=END_TIMEOUT_SECONDS)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=END_TIMEOUT_SECONDS)


def _same_process(pid: int, started_at: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - started_at) < 1 and pid != os.getpid() else None
    except psutil.Error:
        return None
