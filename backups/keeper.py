"""What the backup does for as long as it runs: WAL every few seconds, a base backup every day, a restore
test every week. Each is tried again with the next round, and leaves a row when it came to its end.
"""

import asyncio
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from backups.keeping import Kept
from backups.programs import ProgramFailed, Server
from backups.receiving import SLOT, Receiver, Shipper
from backups.taking import BASE_PREFIX, take_base_backup
from backups.testing import RESTORE_TEST_PREFIX, RestoreTested, test_restore
from clients.backups import BackupMissing, BackupStorage, BackupsUnavailable
from domain.backups import BaseBackup, CannotRestore, has_hole
from domain.clock import Clock
from store.chores import Chores
from store.database import NOT_SET_UP_ERRORS, UNAVAILABLE_ERRORS, Database
from store.restores import Restores

BASE_EVERY: Final = timedelta(days=1)
TEST_EVERY: Final = timedelta(days=7)
SHIP_SECONDS: Final = 20.0  # of the minute that may be lost

_PAUSES_AFTER_FAILURE: Final = 15  # five minutes: a base backup is no small thing to repeat
_PAUSES_BETWEEN_TESTS: Final = 180  # an hour: one that failed reads everything again

_LAST_SECONDS_MAX: Final = 30.0  # a container has 60 to end
_LEFT_OVER_AFTER: Final = timedelta(days=1)  # neither takes as long

BACKUP: Final = "backup"
WAL_ARCHIVE: Final = "wal-archive"
RESTORE_TEST: Final = "restore-test"

FAILURES: Final = (
    ProgramFailed,
    BackupsUnavailable,
    BackupMissing,
    CannotRestore,
    *UNAVAILABLE_ERRORS,
    *NOT_SET_UP_ERRORS,
)
_log = structlog.get_logger("backup")


class OtherInstance(Exception):
    """One sentence: the server was replaced by one that is no restore of it."""


@dataclass(frozen=True, slots=True)
class BackupPlaces:
    """`server_url` may replicate, `program_url` is what bot and workers use, `folder` is ours alone."""

    storage: BackupStorage
    server_url: str
    program_url: str
    folder: Path


class Keeper:
    def __init__(self, places: BackupPlaces, database: Database, clock: Clock) -> None:
        self._places = places
        self._restores = Restores(database, clock)
        self._chores = Chores(database)
        self._clock = clock
        self._server = Server.at(places.server_url)

    async def back_up(self) -> BaseBackup:
        """One base backup, now; what is too old goes. Raise one of FAILURES."""
        kept = Kept(self._places.storage, await self._restores.system_id())
        base = await take_base_backup(kept, self._server, self._places.folder, self._clock)
        facts = {"label": base.label, "bytes": base.bytes, "seconds": round(base.seconds, 1)}
        await self._chores.ended(BACKUP, base.ended_at, facts)
        thrown_away = await kept.tidy(self._clock())
        _log.info("base backup kept", **facts, thrown_away=thrown_away)
        return base

    async def test(self) -> RestoreTested:
        """Raise CannotRestore, or one of the other FAILURES."""
        places = self._places
        system_id = await self._restores.system_id()
        tested = await test_restore(places.storage, system_id, places.folder, places.program_url, self._clock)
        if tested.broken:
            raise CannotRestore(
                f"what was restored breaks {tested.broken} invariants: look at check --complete"
            )
        facts = asdict(tested) | {"stands_at": str(tested.stands_at or "")}
        await self._chores.ended(RESTORE_TEST, self._clock(), facts)
        _log.info("restore tested", **facts)
        return tested

    async def run(self, time_scale: float = 1.0) -> None:
        """For ever. Raise OtherInstance."""
        system_id = await self._restores.system_id()
        wal = self._places.folder / "wal" / system_id
        _throw_away_leftovers(self._places.folder, self._clock() - _LEFT_OVER_AFTER)
        shipper = Shipper(Kept(self._places.storage, system_id), wal)
        archive = _Archive(system_id, Receiver(self._server, wal), shipper)
        try:
            await self._try_archive(archive)  # a base backup moves on to where nobody has received before
            async with asyncio.TaskGroup() as group:
                group.create_task(self._archive_for_ever(archive, SHIP_SECONDS * time_scale))
                group.create_task(self._back_up_for_ever(SHIP_SECONDS * time_scale))
        except* OtherInstance as other:
            became = other
        finally:
            await archive.receiver.stop()
            await self._keep_the_last(archive)
        raise became.exceptions[0]

    async def _archive_for_ever(self, archive: "_Archive", pause_seconds: float) -> None:
        while True:
            await asyncio.sleep(pause_seconds)
            await self._try_archive(archive)

    async def _try_archive(self, archive: "_Archive") -> None:
        try:
            await self._archive(archive)
        except FAILURES as failed:
            _log.warning("WAL is not kept", why=str(failed) or type(failed).__name__)
            if not isinstance(failed, BackupsUnavailable):
                await self._keep_the_last(archive)

    async def _keep_the_last(self, archive: "_Archive") -> None:
        """What is received is kept also when PostgreSQL is no more: it may be all that is left of it."""
        if not archive.is_of_now:
            return
        try:
            async with asyncio.timeout(_LAST_SECONDS_MAX):
                await archive.shipper.ship()
        except (BackupsUnavailable, OSError) as failed:
            _log.warning("the last of the WAL is not kept", why=str(failed) or type(failed).__name__)

    async def _archive(self, archive: "_Archive") -> None:
        """Each round leaves a mark in the WAL, so that the next one has to bring something."""
        began_at = self._clock()
        await self._refuse_other_instance(archive)
        archive.shipper.forget_other_timelines(await self._restores.timeline())
        archive.is_of_now = True
        await self._replace_lost_slot(archive)
        was_running = await archive.receiver.ensure_running()
        shipped = await archive.shipper.ship()
        if was_running and shipped and archive.marked_at is not None:
            await self._chores.ended(WAL_ARCHIVE, archive.marked_at, {"files": shipped})
        await self._restores.mark_wal()
        archive.marked_at = began_at

    async def _replace_lost_slot(self, archive: "_Archive") -> None:
        """Else nothing would be received ever again. The hole is closed by the next base backup."""
        if not await self._restores.slot_lost(SLOT):
            return
        _log.error("PostgreSQL has thrown away WAL before it was received: a base backup is due")
        await archive.shipper.ship()
        await archive.receiver.begin_anew()

    async def _refuse_other_instance(self, archive: "_Archive") -> None:
        """WAL of two instances under one id could be restored by nobody. What came before is kept."""
        system_id = await self._restores.system_id()
        if system_id == archive.system_id:
            return
        await archive.receiver.stop()
        await archive.shipper.ship()
        raise OtherInstance(
            f"PostgreSQL is another instance ({system_id}) than when the backup began ({archive.system_id}):"
            " started again, it begins anew with this one"
        )

    async def _back_up_for_ever(self, pause_seconds: float) -> None:
        test_after = self._clock()
        while True:
            try:
                if await self._is_base_due():
                    await self.back_up()
                elif self._clock() >= test_after and await self._is_due(RESTORE_TEST, TEST_EVERY):
                    test_after = self._clock() + timedelta(seconds=pause_seconds * _PAUSES_BETWEEN_TESTS)
                    await self.test()
            except FAILURES as failed:
                _log.error("backup failed", why=str(failed) or type(failed).__name__)
                await asyncio.sleep(pause_seconds * _PAUSES_AFTER_FAILURE)
            await asyncio.sleep(pause_seconds)

    async def _is_base_due(self) -> bool:
        """Daily, and where the newest one does not lead to now: its timeline has ended, or WAL is missing."""
        kept = Kept(self._places.storage, await self._restores.system_id())
        bases = await kept.base_backups()
        if not bases or bases[-1].start.timeline != await self._restores.timeline():
            return True
        if has_hole(bases[-1], await kept.wal(since=bases[-1].end)):
            return True
        return bases[-1].ended_at < self._clock() - BASE_EVERY

    async def _is_due(self, chore: str, every: timedelta) -> bool:
        last = await self._chores.last(chore)
        return last is None or last.ended_at < self._clock() - every


def _throw_away_leftovers(folder: Path, before: datetime) -> None:
    """Of a base backup or a restore test that was killed: each as large as the database."""
    for prefix in (BASE_PREFIX, RESTORE_TEST_PREFIX):
        for path in folder.glob(f"{prefix}*"):
            if path.stat().st_mtime < before.timestamp():
                _log.warning("left by one that was killed: thrown away", folder=str(path))
                shutil.rmtree(path, ignore_errors=True)


@dataclass(slots=True)
class _Archive:
    """Everything that was committed by `marked_at` comes with the next round. `is_of_now`: no file of a world
    before a restore lies there any more.
    """

    system_id: str
    receiver: Receiver
    shipper: Shipper
    marked_at: datetime | None = None
    is_of_now: bool = False
