"""A restore: fetched, unpacked, recovered, its epoch raised, and only then put in place."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import structlog

from backups import programs
from backups.keeping import BASE_FILES, PART, Kept, instances
from backups.recovering import prepare_recovery, recovered_server, url_on
from backups.unpacking import unpack_base, unpack_wal
from clients.backups import BackupStorage, BackupsUnavailable
from domain.backups import (
    SEGMENT_BYTES,
    CannotRestore,
    History,
    KeptSegment,
    RestorePlan,
    Segment,
    choose_instance,
    plan_restore,
)
from domain.clock import Clock
from store.database import Database, DatabaseUnavailable
from store.migrate import migrate
from store.restores import Raised, Restores

_FETCHED_AT_ONCE: Final = 8
_THROWN_AWAY_TRIES_MAX: Final = 100
_THROW_AWAY_PAUSE_SECONDS: Final = 0.1
_ROOM: Final = 1.2  # the base backup packed, beside it unpacked

_log = structlog.get_logger("backup")


@dataclass(frozen=True, slots=True)
class Restored:
    """`kept_aside`: what stood there before; None where nothing did."""

    plan: RestorePlan
    stands_at: datetime
    raised: Raised
    kept_aside: Path | None = None


async def find_plan(
    storage: BackupStorage, to: datetime | None, system_id: str = "", timeline: int | None = None
) -> tuple[Kept, RestorePlan]:
    """Of the named instance, or of the only one. Raise CannotRestore."""
    found = await instances(storage)
    chosen = choose_instance(found, system_id)
    kept = Kept(storage, chosen)
    return kept, plan_restore(found[chosen], await kept.wal(), await kept.histories(), to, timeline)


async def restore_into(place: Path, kept: Kept, plan: RestorePlan, owner_url: str, clock: Clock) -> Restored:
    """`place` is PostgreSQL's data folder, of a server that does not run. What is there is moved aside, and
    stays untouched until everything has come to a good end. Raise CannotRestore.
    """
    check_place(place, plan)
    async with _work_folder(place) as work:
        data = work / "data"
        async with recovered(kept, plan, work, data) as port:
            finished = await _finish(url_on(port, owner_url), clock)
        kept_aside = put_in_place(data, place, clock)
    await _to_its_end(_keep_beginning(kept, place / "pg_wal", finished.written))
    return Restored(plan, finished.stands_at, finished.raised, kept_aside)


def check_place(place: Path, plan: RestorePlan) -> None:
    """Raise CannotRestore."""
    if (place / "postmaster.pid").exists():
        raise CannotRestore(
            f"PostgreSQL runs on {place}: stop it first;"
            f" if it was killed and surely does not run, remove {place / 'postmaster.pid'}"
        )
    if place.exists() and any(place.iterdir()) and not (place / "PG_VERSION").exists():
        raise CannotRestore(
            f"{place} holds something that is no PostgreSQL: name its data folder with --into"
        )
    check_room(place.parent, plan, left_over=place.parent.glob(f"{_working_name(place)}*"))


def check_room(folder: Path, plan: RestorePlan, left_over: Iterable[Path] = ()) -> None:
    """`left_over`: of restores that were killed, since only one runs at a time. Raise CannotRestore."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        raise CannotRestore(f"{folder} cannot be used: {error.strerror}") from None
    needed_bytes = int(plan.base.bytes * _ROOM) + 2 * len(plan.wal) * SEGMENT_BYTES
    if free_bytes < needed_bytes:
        removable = "".join(f"; {each} is of a restore that was killed: remove it" for each in left_over)
        raise CannotRestore(
            f"{folder} has {free_bytes >> 20:,} MB free, and {needed_bytes >> 20:,} MB are needed"
            f" beside what is there: make room{removable}"
        )


def _working_name(place: Path) -> str:
    return f"{place.name}.restoring-"


@asynccontextmanager
async def _work_folder(place: Path) -> AsyncIterator[Path]:
    """On the same disk, so that putting it in place is a rename."""
    try:
        work = Path(tempfile.mkdtemp(prefix=_working_name(place), dir=place.parent))
    except OSError as error:
        raise CannotRestore(f"{place.parent} cannot be written: {error.strerror}") from None
    try:
        yield work
    except OSError as error:
        raise CannotRestore(f"{place.parent}: {error.strerror or type(error).__name__}") from None
    finally:
        await throw_away(work)


async def throw_away(folder: Path) -> None:
    """A thread whose restore was cut off may write into it for a moment."""
    for _ in range(_THROWN_AWAY_TRIES_MAX):
        if _is_thrown_away(folder):
            return
        await asyncio.sleep(_THROW_AWAY_PAUSE_SECONDS)


def _is_thrown_away(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


@asynccontextmanager
async def recovered(kept: Kept, plan: RestorePlan, work: Path, data: Path) -> AsyncIterator[int]:
    """The port of a server on the restored rows."""
    wal = work / "wal"
    await _fetch(kept, plan, work, data, wal)
    prepare_recovery(data, wal)
    async with recovered_server(data, wal, plan, work / "postgres.log") as port:
        yield port


async def _fetch(kept: Kept, plan: RestorePlan, work: Path, data: Path, wal: Path) -> None:
    packed = work / "packed"
    for folder in (packed, wal):
        folder.mkdir(mode=0o755)
    for name in BASE_FILES:
        await kept.storage.get_to_file(kept.key_of(plan.base, name), packed / name)
    await asyncio.to_thread(unpack_base, packed, data)
    for history in plan.histories:
        (wal / history.name).write_text(history.text)
    await _fetch_wal(kept, plan.wal, packed, wal)
    shutil.rmtree(packed)


async def _fetch_wal(kept: Kept, segments: Iterable[KeptSegment], packed: Path, wal: Path) -> None:
    """Where one cannot be fetched the others are given up, too."""
    gate = asyncio.Semaphore(_FETCHED_AT_ONCE)
    try:
        async with asyncio.TaskGroup() as group:
            for each in segments:
                group.create_task(_fetch_segment(kept, each, packed, wal, gate))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def _fetch_segment(
    kept: Kept, segment: KeptSegment, packed: Path, wal: Path, gate: asyncio.Semaphore
) -> None:
    """The unfinished one under its whole name: PostgreSQL sees where it ends."""
    name = segment.segment.name
    async with gate:
        await kept.storage.get_to_file(segment.key, packed / name)
        await asyncio.to_thread(unpack_wal, packed / name, wal / name)
        await asyncio.to_thread((packed / name).unlink)


@dataclass(frozen=True, slots=True)
class _Finished:
    stands_at: datetime
    raised: Raised
    written: Segment


async def _finish(owner_url: str, clock: Clock) -> _Finished:
    """The schema of this version first: an older one may know no epochs."""
    await migrate(owner_url)
    try:
        database = await Database.connect(owner_url)
    except DatabaseUnavailable as error:
        raise CannotRestore(f"the restored PostgreSQL does not let us in as its owner: {error}") from None
    try:
        restores = Restores(database, clock)
        stands_at = await restores.stands_at()
        raised = await restores.raise_epoch(stands_at)
        written = await restores.written()
    finally:
        await database.close()
    return _Finished(stands_at or clock(), raised, written)


async def _to_its_end(last: Coroutine[Any, Any, None]) -> None:
    """It stands in its place: whoever asks to stop now has come too late."""
    ending = asyncio.create_task(last)
    with suppress(asyncio.CancelledError):
        await asyncio.wait([ending])
    await ending


async def _keep_beginning(kept: Kept, wal: Path, written: Segment) -> None:
    """Of the timeline that begins with this restore: from here on the newest moment lies on it."""
    try:
        await kept.keep_history(wal / History(written.timeline, "").name)
        for path in _whole_before(written, wal):
            await kept.keep_wal(path)
        await kept.keep_wal(wal / written.name, f"{written.name}{PART}")
    except (BackupsUnavailable, OSError) as failed:
        _log.warning("restored, but its WAL is not kept yet: start the backup soon", why=str(failed))


def _whole_before(written: Segment, wal: Path) -> list[Path]:
    """Behind it lie files that PostgreSQL has only made for later."""
    named = ((path, Segment.named(path.name)) for path in sorted(wal.iterdir()))
    return [
        path
        for path, segment in named
        if segment is not None and segment.timeline == written.timeline and segment < written
    ]


def put_in_place(data: Path, place: Path, clock: Clock) -> Path | None:
    """Where what stood there is now. Raise OSError: it stands there still."""
    aside = None
    if place.exists():
        aside = place.with_name(f"{place.name}.before-{clock():%Y%m%dT%H%M%S%fZ}")
        programs.give_to_owner_of(place, data)
        place.rename(aside)
    try:
        data.rename(place)
    except OSError:
        if aside is not None:
            aside.rename(place)
        raise
    return aside
