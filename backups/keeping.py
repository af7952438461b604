"""What is kept under BACKUP_URL: base backups and WAL of one instance each."""

import asyncio
import gzip
import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from clients.backups import BackupMissing, BackupStorage, KeptFile
from domain.backups import BaseBackup, History, KeptSegment, Segment, outdated, outdated_wal

BASE_FILES: Final = ("base.tar.gz", "pg_wal.tar.gz", "backup_manifest")
_FACTS: Final = "backup.json"
PART: Final = ".partial"
HISTORY: Final = ".history"
_GZIP_LEVEL: Final = 1
_CUT_OFF_AFTER: Final = timedelta(days=1)  # none takes as long to be kept

_log = structlog.get_logger("backup")


class Kept:
    def __init__(self, storage: BackupStorage, system_id: str) -> None:
        self.storage = storage
        self._system_id = system_id

    async def base_backups(self) -> list[BaseBackup]:
        """The oldest first. Its facts are written last: a base backup without them was cut off."""
        files = await self.storage.files(f"{self._system_id}/base/")
        keys = [each.key for each in files if each.key.endswith(f"/{_FACTS}")]
        texts = await asyncio.gather(*(self.storage.get(key) for key in keys))
        read = [_read_facts(key, text) for key, text in zip(keys, texts, strict=True)]
        return sorted((each for each in read if each is not None), key=lambda each: each.ended_at)

    async def keep_base(self, base: BaseBackup, folder: Path) -> None:
        for name in BASE_FILES:
            await self.storage.put(self.key_of(base, name), folder / name)
        facts = json.dumps(asdict(base), default=datetime.isoformat)
        await self.storage.put(self.key_of(base, _FACTS), facts.encode())

    def key_of(self, base: BaseBackup, name: str) -> str:
        return f"{self._system_id}/base/{base.label}/{name}"

    async def wal(self, since: Segment | None = None) -> list[KeptSegment]:
        folder = f"{self._system_id}/wal/"
        files = await self.storage.files(folder, after=f"{folder}{since.name}" if since else "")
        found = (_kept_segment(each) for each in files)
        return [each for each in found if each is not None]

    async def keep_wal(self, path: Path, name: str = "") -> None:
        """Named as pg_receivewal does it, the unfinished one with `.partial`."""
        packed = await asyncio.to_thread(lambda: gzip.compress(path.read_bytes(), _GZIP_LEVEL))
        await self.storage.put(f"{self._system_id}/wal/{name or path.name}.gz", packed)

    async def histories(self) -> list[History]:
        """None is ever thrown away: a number that was used once must not be used again."""
        files = await self.storage.files(f"{self._system_id}/wal/")
        named = [each for each in files if each.key.endswith(HISTORY)]
        texts = await asyncio.gather(*(self.storage.get(each.key) for each in named))
        found = (
            History.named(each.key.rpartition("/")[2], text.decode(), each.kept_at)
            for each, text in zip(named, texts, strict=True)
        )
        return [each for each in found if each is not None]

    async def keep_history(self, path: Path) -> None:
        """Once: when it was kept says when its timeline began, where the restore itself kept it."""
        key = f"{self._system_id}/wal/{path.name}"
        try:
            await self.storage.get(key)
        except BackupMissing:
            await self.storage.put(key, path)

    async def tidy(self, now: datetime) -> int:
        """How many files nobody needs any longer were thrown away; of a base backup its facts first."""
        bases = await self.base_backups()
        old = outdated(bases, now)
        left = [each for each in bases if each not in old]
        keys = [self.key_of(base, name) for base in old for name in (_FACTS, *BASE_FILES)]
        keys += [each.key for each in outdated_wal(await self.wal(), left)]
        await self.storage.delete(keys)
        cut_off = await self._cut_off(now - _CUT_OFF_AFTER)
        await self.storage.delete(cut_off)
        return len(keys) + len(cut_off)

    async def _cut_off(self, before: datetime) -> list[str]:
        """Of base backups that were being kept, or thrown away, when the program was ended."""
        files = await self.storage.files(f"{self._system_id}/base/")
        whole = {_folder_of(each.key) for each in files if each.key.endswith(f"/{_FACTS}")}
        return [each.key for each in files if _folder_of(each.key) not in whole and each.kept_at < before]


async def instances(storage: BackupStorage) -> dict[str, list[BaseBackup]]:
    """The base backups of each instance that has one here; who was backed up last comes last."""
    facts = [each.key for each in await storage.files() if each.key.endswith(f"/{_FACTS}")]
    system_ids = sorted({key.partition("/")[0] for key in facts})
    found = {each: await Kept(storage, each).base_backups() for each in system_ids}
    with_some = [each for each in found.items() if each[1]]
    return dict(sorted(with_some, key=lambda each: each[1][-1].ended_at))


def _folder_of(key: str) -> str:
    return key.rpartition("/")[0]


def _read_facts(key: str, text: bytes) -> BaseBackup | None:
    """None for what cannot be read: the others are as good as before."""
    try:
        return _base_backup(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        _log.warning("a base backup is not counted: its facts are damaged", key=key, why=str(error))
        return None


def _kept_segment(file: KeptFile) -> KeptSegment | None:
    name = file.key.rpartition("/")[2].removesuffix(".gz")
    segment = Segment.named(name.removesuffix(PART))
    if segment is None:
        return None
    return KeptSegment(segment, file.key, file.kept_at, whole=not name.endswith(PART))


def _base_backup(facts: dict[str, Any]) -> BaseBackup:
    return BaseBackup(
        label=facts["label"],
        system_id=facts["system_id"],
        start=Segment(**facts["start"]),
        end=Segment(**facts["end"]),
        started_at=datetime.fromisoformat(facts["started_at"]),
        ended_at=datetime.fromisoformat(facts["ended_at"]),
        bytes=facts["bytes"],
        end_position=facts.get("end_position"),
    )
