"""doctor's look at what is done now and then: the backup, the WAL archive, the restore test."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from admin.findings import Finding, ok, warning, wrong
from backups.keeper import BACKUP, RESTORE_TEST, WAL_ARCHIVE

_IN_DOCKER: Final = "with Docker: docker compose run --rm --no-deps backup python admin_main.py"


@dataclass(frozen=True, slots=True)
class _Chore:
    """Older than `late` is a warning, than `too_late` wrong; `patience` is for the first one."""

    name: str
    what: str
    late: timedelta
    too_late: timedelta
    patience: timedelta
    do: str


_CHORES: Final = (
    _Chore(
        BACKUP,
        "backup",
        late=timedelta(hours=26),
        too_late=timedelta(hours=26),
        patience=timedelta(days=1),
        do="does backup_main.py run, what does its log say? Or at once: admin_main.py backup where it runs,"
        f" {_IN_DOCKER} backup",
    ),
    _Chore(
        WAL_ARCHIVE,
        "WAL archive",
        late=timedelta(minutes=2),
        too_late=timedelta(minutes=10),
        patience=timedelta(days=1),
        do="does backup_main.py run, what does its log say? See WAL archive behind in the runbook",
    ),
    _Chore(
        RESTORE_TEST,
        "restore test",
        late=timedelta(days=8),
        too_late=timedelta(days=15),
        patience=timedelta(days=8),
        do="look into the log of backup_main.py; or at once: admin_main.py restore-test where it runs,"
        f" {_IN_DOCKER} restore-test",
    ),
)


def of_chores(ended: Mapping[str, datetime], set_up_at: datetime, now: datetime) -> Iterator[Finding]:
    for chore in _CHORES:
        if chore.name in ended:
            yield _last(chore, now - ended[chore.name])
        else:
            yield _never(chore, now - set_up_at)


def _last(chore: _Chore, age: timedelta) -> Finding:
    said = f"is {_long(age)} old"
    if age > chore.too_late:
        return wrong(chore.what, said, chore.do)
    return warning(chore.what, said, chore.do) if age > chore.late else ok(chore.what, said)


def _never(chore: _Chore, since_set_up: timedelta) -> Finding:
    if since_set_up > chore.patience:
        said = f"there was never one, and the database was set up {_long(since_set_up)} ago"
        return wrong(chore.what, said, chore.do)
    return warning(chore.what, "there was none yet", chore.do)


def _long(span: timedelta) -> str:
    seconds = max(0.0, span.total_seconds())
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
