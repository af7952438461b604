"""backup, restore-test and restore: see docs/decisions/backup.md."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from admin.console import AsJson, Refused, Yes, confirm, say, show, show_json, table
from admin.timeline import counted
from admin.tools import NOTHING_CHANGED, Tools, in_words, run
from backups.keeper import FAILURES, BackupPlaces, Keeper
from backups.keeping import Kept, instances
from backups.places import CannotKeep, open_places
from backups.programs import ProgramsMissing, bin_dir
from backups.restoring import Restored, check_place, find_plan, restore_into
from clients.backups import BackupMissing, BackupStorage, BackupsUnavailable
from domain.backups import BaseBackup, CannotRestore, KeptSegment, RestorePlan
from domain.clock import utc_now
from settings import Settings
from starting import check_clock
from store.database import Database, DatabaseUnavailable
from store.migrate import CannotMigrate
from store.restores import Raised, Restores

app = typer.Typer()

_NEXT = (
    "Next: start PostgreSQL, then Temporal, then the rest. The bot reads Telegram's payments again before it"
    " opens. Then: check --complete."
)


@app.command()
def backup(*, as_json: AsJson = False) -> None:
    """Take a base backup now, and keep it under BACKUP_URL."""
    run(lambda tools: _backup(tools, as_json=as_json))


@app.command()
def backups(*, as_json: AsJson = False) -> None:
    """List the base backups of each instance, and until when the WAL after them reaches."""
    run(lambda tools: _backups(tools, as_json=as_json), only_reads=True)


@app.command()
def restore_test(*, as_json: AsJson = False) -> None:
    """Restore the newest moment beside everything, look at every row of it, and throw it away."""
    run(lambda tools: _restore_test(tools, as_json=as_json))


@app.command()
def restore(
    *,
    into: Annotated[
        Path | None, typer.Option(help="PostgreSQL's data folder; what is there is moved aside")
    ] = None,
    to: Annotated[
        str, typer.Option(help="the moment, as 2026-11-21T20:15:00+03:00; without: the newest")
    ] = "",
    system: Annotated[
        str, typer.Option(help="the instance's id, where BACKUP_URL holds several: see backups")
    ] = "",
    timeline: Annotated[
        int | None,
        typer.Option(help="where PostgreSQL was restored before: of which of its worlds, see backups"),
    ] = None,
    finish: Annotated[
        bool,
        typer.Option("--finish", help="PostgreSQL was restored otherwise and runs: only raise the epoch"),
    ] = False,
    forced: Annotated[
        bool, typer.Option("--forced", help="with --finish, also where no restore can be seen")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Restore both databases to one moment, and end every order of before. Everything is stopped first."""
    moment = _moment(to)
    if finish == (into is not None):
        raise typer.BadParameter("either --into FOLDER, of a PostgreSQL that is stopped, or --finish")
    if finish and (to or system or timeline is not None):
        raise typer.BadParameter(
            "--to, --system and --timeline choose what is restored: --finish restores nothing"
        )
    if finish:
        run(lambda tools: _finish(tools, forced=forced, yes=yes, as_json=as_json))
    asked = _Asked((into or Path()).absolute(), moment, system, timeline)
    run(lambda tools: _restore(tools, asked, yes=yes, as_json=as_json))


@dataclass(frozen=True, slots=True)
class _Asked:
    into: Path
    to: datetime | None
    system_id: str
    timeline: int | None


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):  # of the year 1, in a zone that was there first
        raise typer.BadParameter(f"{text} is no moment: 2026-11-21T20:15:00+03:00 is one") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text} is a moment of which zone? Add +03:00, or Z for UTC")
    if in_utc > utc_now():
        raise typer.BadParameter(f"{text} is still to come")
    return in_utc


# -- taking and trying


async def _backup(tools: Tools, *, as_json: bool) -> None:
    database = await tools.database()
    keeper = Keeper(_places(tools.settings), database, utc_now)
    await check_clock(database, utc_now)  # how old a backup is decides what is thrown away
    try:
        base = await keeper.back_up()
    except FAILURES as failed:
        raise Refused(f"no backup was taken: {failed or type(failed).__name__}") from None
    if as_json:
        show_json(asdict(base))
    else:
        say(f"base backup {base.label}: {base.bytes:,} bytes in {base.seconds:.1f} s")


async def _backups(tools: Tools, *, as_json: bool) -> None:
    try:
        storage = BackupStorage(_backup_url(tools.settings))
        found = await instances(storage)
        wal = {system_id: await Kept(storage, system_id).wal() for system_id in found}
    except (BackupsUnavailable, BackupMissing) as failed:
        raise Refused(str(failed)) from None
    if not found:
        raise Refused("there is no base backup under BACKUP_URL")
    reaches = {each: max((kept.kept_at for kept in wal[each]), default=None) for each in found}
    if as_json:
        bases = [asdict(base) for backups in found.values() for base in backups]
        show_json({"base_backups": bases, "wal_reaches": reaches})
        return
    for system_id, backups in found.items():
        show(_backup_table(system_id, backups))
        say(_wal_words(wal[system_id]))


def _wal_words(kept: Sequence[KeptSegment]) -> str:
    """By timeline: each restore began one, and what was left can be restored, too."""
    last: dict[int, datetime] = {}
    for each in sorted(kept, key=lambda each: each.kept_at):
        last[each.segment.timeline] = each.kept_at
    if not last:
        return "WAL: none is kept, only the moments of the base backups can be restored; does backup run?"
    told = [
        f"of timeline {timeline} the last kept at {at:%Y-%m-%d %H:%M:%S}" for timeline, at in last.items()
    ]
    return f"WAL: {counted(len(kept), 'segment')}, {', '.join(told)} UTC"


def _backup_table(system_id: str, backups: Sequence[BaseBackup]) -> Table:
    shown = table("base backup", "ended", "bytes", "seconds", title=f"instance {system_id}")
    for each in backups:
        shown.add_row(
            each.label, f"{each.ended_at:%Y-%m-%d %H:%M:%S}", f"{each.bytes:,}", f"{each.seconds:.1f}"
        )
    return shown


async def _restore_test(tools: Tools, *, as_json: bool) -> None:
    keeper = Keeper(_places(tools.settings), await tools.database(), utc_now)
    try:
        tested = await keeper.test()
    except FAILURES as failed:
        raise Refused(f"the restore test failed: {failed or type(failed).__name__}") from None
    if as_json:
        show_json(asdict(tested))
    else:
        wal = f"with {counted(tested.segments, 'segment')} of WAL" if tested.segments else "without any WAL"
        to = f"up to {tested.stands_at}" if tested.stands_at else "no transaction came after it,"
        say(
            f"restored {tested.base} {wal}, {to} in {tested.seconds:.1f} s:"
            f" {counted(tested.rows, 'row')} looked at, nothing broken"
        )


# -- restoring


async def _restore(tools: Tools, asked: _Asked, *, yes: bool, as_json: bool) -> None:
    settings = tools.settings
    try:
        bin_dir()
        storage = BackupStorage(_backup_url(settings))
        kept, plan = await find_plan(storage, asked.to, asked.system_id, asked.timeline)
        check_place(asked.into, plan)
        _say_plan(plan, asked.into, as_json=as_json)
        confirm("Restore it? Everything must be stopped.", yes=yes)
        restored = await restore_into(asked.into, kept, plan, _owner_url(settings), utc_now)
    except (CannotRestore, CannotMigrate, BackupsUnavailable, BackupMissing, ProgramsMissing) as failed:
        raise Refused(f"{NOTHING_CHANGED}: {failed}") from None
    except OSError as failed:
        raise Refused(f"{NOTHING_CHANGED}: {in_words(failed)}") from None
    _report(restored, as_json=as_json)


async def _finish(tools: Tools, *, forced: bool, yes: bool, as_json: bool) -> None:
    await tools.database()  # with the schema of this version
    try:
        database = await Database.connect(_owner_url(tools.settings))
    except DatabaseUnavailable as error:
        raise Refused(f"DATABASE_OWNER_URL does not let us in: {error}") from None
    try:
        restores = Restores(database, utc_now)
        last = await restores.last_epoch()
        if last.timeline == await restores.timeline() and not forced:
            raise Refused(
                f"{NOTHING_CHANGED}: epoch {last.epoch} was raised at {last.raised_at:%Y-%m-%d %H:%M:%S},"
                " and PostgreSQL was not restored since. If it was, by other means: --forced"
            )
        confirm("End every open order, and raise the epoch?", yes=yes)
        tools.unsure = (
            "the epoch may be raised: restore --finish without --forced says so, and raises none twice"
        )
        raised = await restores.raise_epoch(await restores.stands_at())
    finally:
        await database.close()
    if as_json:
        show_json(asdict(raised))
    else:
        _say_raised(raised)


def _say_plan(plan: RestorePlan, place: Path, *, as_json: bool) -> None:
    if not as_json:
        say(
            f"instance {plan.base.system_id}: base backup of {plan.base.ended_at:%Y-%m-%d %H:%M:%S}+00:00"
            f" ({plan.base.bytes:,} bytes) and {counted(len(plan.wal), 'segment')} of WAL,"
            f" to {plan.to or 'the newest moment'} of timeline {plan.line.timeline}, into {place}"
        )


def _report(restored: Restored, *, as_json: bool) -> None:
    if as_json:
        facts = {"stands_at": restored.stands_at, "kept_aside": restored.kept_aside}
        show_json(facts | {"base": restored.plan.base.label, "raised": asdict(restored.raised)})
        return
    say(f"restored: the last transaction is of {restored.stands_at}")
    if restored.kept_aside is not None:
        say(f"what was there before: {restored.kept_aside}; remove it when all is well")
    _say_raised(restored.raised)


def _say_raised(raised: Raised) -> None:
    say(
        f"epoch {raised.epoch.epoch}: {raised.orders} orders ended,"
        f" {raised.captured} videos captured and offered again, {raised.refunded} refunded"
    )
    say(_NEXT)


# -- pieces


def _places(settings: Settings) -> BackupPlaces:
    _backup_url(settings)
    try:
        return open_places(settings)
    except CannotKeep as missing:
        raise Refused(str(missing)) from None


def _backup_url(settings: Settings) -> str:
    if not settings.backup_url:
        raise Refused("BACKUP_URL is not set, for example BACKUP_URL=s3://bucket/backups")
    return settings.backup_url


def _owner_url(settings: Settings) -> str:
    return (settings.database_owner_url or settings.database_url).get_secret_value()
