"""A base backup: taken from the running server, kept, and thrown away here."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from backups.keeping import Kept
from backups.programs import Server, run
from domain.backups import BaseBackup, Segment, position_of
from domain.clock import Clock

BASE_PREFIX: Final = "base-"
_TAKING_SECONDS_MAX: Final = 6 * 3600.0


async def take_base_backup(kept: Kept, server: Server, folder: Path, clock: Clock) -> BaseBackup:
    """Raise ProgramFailed or BackupsUnavailable; then there is none more than before."""
    work = _work_folder(folder)
    try:
        started_at = clock()
        await run(
            "pg_basebackup",
            f"--pgdata={work}",
            "--format=tar",
            "--compress=client-gzip:1",
            "--wal-method=stream",
            "--checkpoint=fast",
            "--manifest-checksums=SHA256",
            "--no-sync",  # what counts is what is kept
            server=server,
            timeout_seconds=_TAKING_SECONDS_MAX,
        )
        manifest = json.loads((work / "backup_manifest").read_text())
        (wal,) = manifest["WAL-Ranges"]
        ended_at, end_position = clock(), position_of(wal["End-LSN"])
        base = BaseBackup(
            label=f"{started_at:%Y%m%dT%H%M%SZ}",
            system_id=str(manifest["System-Identifier"]),
            start=Segment.holding(wal["Timeline"], position_of(wal["Start-LSN"])),
            end=Segment.holding(wal["Timeline"], end_position),
            started_at=started_at,
            ended_at=ended_at,
            bytes=_unpacked_bytes(manifest),
            end_position=end_position,
        )
        await kept.keep_base(base, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return base


def _work_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=BASE_PREFIX, dir=folder))


def _unpacked_bytes(manifest: dict[str, Any]) -> int:
    return sum(each["Size"] for each in manifest["Files"])
