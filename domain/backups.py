"""Base backups and the WAL after them: which to restore from, which to keep, what is missing between."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

SEGMENT_BYTES: Final = 16 * 1024 * 1024
KEEP: Final = timedelta(days=14)
KEEP_AT_LEAST: Final = 2

_SEGMENTS_PER_LOG: Final = 0x1_0000_0000 // SEGMENT_BYTES
_HISTORY: Final = re.compile(r"([0-9A-F]{8})\.history")
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")


class CannotRestore(Exception):
    """One sentence for the operator. Nothing was changed."""


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """16 MB of WAL. On one timeline their numbers have no holes."""

    timeline: int
    number: int

    @property
    def name(self) -> str:
        log, part = divmod(self.number, _SEGMENTS_PER_LOG)
        return f"{self.timeline:08X}{log:08X}{part:08X}"

    @classmethod
    def named(cls, name: str) -> Self | None:
        """None for a file that is no segment."""
        return cls.of(name) if _SEGMENT.fullmatch(name) else None

    @classmethod
    def of(cls, name: str) -> Self:
        """`name` as PostgreSQL's functions give it."""
        timeline, log, part = (int(name[at : at + 8], 16) for at in (0, 8, 16))
        return cls(timeline, log * _SEGMENTS_PER_LOG + part)

    @classmethod
    def holding(cls, timeline: int, position: int) -> Self:
        return cls(timeline, position // SEGMENT_BYTES)


def position_of(lsn: str) -> int:
    """Bytes of WAL; `lsn` as PostgreSQL writes it: 0/3000028."""
    high, low = (int(part, 16) for part in lsn.split("/"))
    return (high << 32) + low


@dataclass(frozen=True, slots=True)
class BaseBackup:
    """`label` names its folder. WAL from `start` on is needed to use it, from `end` on to go beyond it.

    `end_position`: exactly, in bytes; None in one that an earlier release has kept.
    """

    label: str
    system_id: str
    start: Segment
    end: Segment
    started_at: datetime
    ended_at: datetime
    bytes: int
    end_position: int | None = None

    @property
    def seconds(self) -> float:
        return (self.ended_at - self.started_at).total_seconds()

    @property
    def reaches(self) -> int:
        return self.end_position or (self.end.number + 1) * SEGMENT_BYTES


@dataclass(frozen=True, slots=True)
class KeptSegment:
    """`whole` False: PostgreSQL was still writing it."""

    segment: Segment
    key: str
    kept_at: datetime
    whole: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """PostgreSQL's own file: which timelines one came from. `kept_at`: by the restore that began it."""

    timeline: int
    text: str
    kept_at: datetime | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        return f"{self.timeline:08X}.history"

    @classmethod
    def named(cls, name: str, text: str, kept_at: datetime | None = None) -> Self | None:
        """None for a file that is no history."""
        match = _HISTORY.fullmatch(name)
        return cls(int(match[1], 16), text, kept_at) if match else None

    @property
    def left_at(self) -> dict[int, int]:
        """Of each timeline before it the last byte that belongs to this one, too."""
        lines = [line.split("\t") for line in self.text.splitlines()]
        return {int(line[0]): position_of(line[1]) for line in lines if line[0].strip().isdigit()}


@dataclass(frozen=True, slots=True)
class Line:
    """A timeline, and of those it came from what came before it.

    Every restore begins one; what was written on the old one after that moment is of a world that is no more.
    """

    timeline: int
    left_at: Mapping[int, int] = field(default_factory=dict)

    def leads_from(self, base: BaseBackup) -> bool:
        return self._is_mine(base.end.timeline, base.reaches)

    def has(self, segment: Segment) -> bool:
        """Of the segment in which a timeline was left, the next one has a copy of its own."""
        return self._is_mine(segment.timeline, (segment.number + 1) * SEGMENT_BYTES)

    def _is_mine(self, timeline: int, until: int) -> bool:
        return timeline == self.timeline or until <= self.left_at.get(timeline, -1)


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """`histories`: for PostgreSQL to follow the line, and to begin a timeline that there never was."""

    base: BaseBackup
    wal: tuple[KeptSegment, ...]
    to: datetime | None
    line: Line
    histories: tuple[History, ...] = ()


def choose_instance(found: Mapping[str, Sequence[BaseBackup]], system_id: str) -> str:
    """The named one, else the only one: the newest may be an empty one that took the place of the other.

    Raise CannotRestore.
    """
    if not found:
        raise CannotRestore("there is no base backup under BACKUP_URL")
    if system_id in found:
        return system_id
    if not system_id and len(found) == 1:
        return next(iter(found))
    listed = "; ".join(f"{each} ({_in_words(backups[-1])})" for each, backups in found.items())
    if system_id:
        raise CannotRestore(
            f"there is no base backup of instance {system_id} under BACKUP_URL, but of {listed}"
        )
    raise CannotRestore(
        f"there are {len(found)} instances under BACKUP_URL, name one with --system ID: {listed}"
    )


def _in_words(base: BaseBackup) -> str:
    return f"newest base backup of {_moment(base.ended_at)}, {base.bytes:,} bytes"


def plan_restore(
    backups: Sequence[BaseBackup],
    kept: Sequence[KeptSegment],
    histories: Sequence[History],
    to: datetime | None,
    timeline: int | None = None,
) -> RestorePlan:
    """The newest base backup that leads to the moment, with all WAL that follows. Raise CannotRestore."""
    line = choose_line(backups, kept, histories, to, timeline)
    base = choose_base(backups, line, to)
    wal = _followed(line, base, kept, to)
    timelines = {each.segment.timeline for each in kept} | {each.end.timeline for each in backups}
    newest = max(timelines | {each.timeline for each in histories})
    return RestorePlan(base, tuple(wal), to, line, _taken(line.timeline, newest, histories))


def choose_line(
    backups: Sequence[BaseBackup],
    kept: Sequence[KeptSegment],
    histories: Sequence[History],
    to: datetime | None,
    timeline: int | None = None,
) -> Line:
    """Of the named timeline, else of the one that lived at the moment. Raise CannotRestore."""
    if not backups:
        raise CannotRestore("there is no base backup under BACKUP_URL")
    lived = sorted(
        [(each.ended_at, each.end.timeline) for each in backups]
        + [(each.kept_at, each.segment.timeline) for each in kept]
        + [(each.kept_at, each.timeline) for each in histories if each.kept_at is not None]
    )
    if timeline is None:
        chosen = _lived_at(to, lived)
    elif timeline in {each for _, each in lived}:
        chosen = timeline
    else:
        raise CannotRestore(f"nothing of timeline {timeline} is kept: see backups")
    return Line(chosen, next((each.left_at for each in histories if each.timeline == chosen), {}))


def _lived_at(to: datetime | None, lived: Sequence[tuple[datetime, int]]) -> int:
    """What was kept next was written there, unless PostgreSQL was restored just then."""
    next_ones = [each for each in lived if to is not None and each[0] >= to]
    if not next_ones:
        return lived[-1][1]
    before = [each for each in lived if each < next_ones[0]]
    if before and before[-1][1] != next_ones[0][1] and to != next_ones[0][0]:
        raise CannotRestore(_between(before[-1], next_ones[0]))
    return next_ones[0][1]


def _between(before: tuple[datetime, int], after: tuple[datetime, int]) -> str:
    """The newest of a world that was left is often what is meant; its last seconds were never kept."""
    (left_at, left), (began_at, began) = before, after
    return (
        f"PostgreSQL was restored between {_moment(left_at)}, when the last of timeline {left} was kept,"
        f" and {_moment(began_at)}, when the first of timeline {began} was:"
        f" say with --timeline which is meant; without --to it is the newest moment of that one"
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}+00:00"


def choose_base(backups: Sequence[BaseBackup], line: Line, to: datetime | None) -> BaseBackup:
    """The newest one on the line that had ended by then. Raise CannotRestore."""
    ordered = sorted((each for each in backups if line.leads_from(each)), key=lambda each: each.ended_at)
    if not ordered:
        newest = max(each.ended_at for each in backups)
        raise CannotRestore(
            f"PostgreSQL was restored, and no base backup leads to timeline {line.timeline} that began then:"
            f" name a moment before, like {newest}, with --to"
        )
    fitting = [each for each in ordered if to is None or each.ended_at <= to]
    if not fitting:
        raise CannotRestore(
            f"no base backup had ended by {to}:"
            f" the first moment that can be restored is {ordered[0].ended_at}"
        )
    return fitting[-1]


def has_hole(base: BaseBackup, kept: Iterable[KeptSegment]) -> bool:
    """Whether the newest moment of its own timeline cannot be reached from it."""
    try:
        _followed(Line(base.end.timeline), base, kept, None)
    except CannotRestore:
        return True
    return False


def _followed(
    line: Line, base: BaseBackup, kept: Iterable[KeptSegment], to: datetime | None
) -> list[KeptSegment]:
    """Without a hole. Raise CannotRestore where one is in the way."""
    later = _after(base, line, kept)
    followed = _without_hole(base, later)
    last = followed[-1].segment if followed else base.end  # which brings the WAL up to its own end along
    unreached = [each for each in later if each.segment.number > last.number]
    if unreached and (to is None or to >= unreached[0].kept_at):
        hole = Segment(last.timeline, last.number + 1)
        raise CannotRestore(
            f"WAL {hole.name} is missing under BACKUP_URL: name a moment before"
            f" {_moment(unreached[0].kept_at)} with --to"
        )
    return followed


def _after(base: BaseBackup, line: Line, kept: Iterable[KeptSegment]) -> list[KeptSegment]:
    """From its end on. Of a segment that is there whole, the part is no longer needed."""
    best: dict[int, KeptSegment] = {}
    for each in kept:
        number = each.segment.number
        if line.has(each.segment) and number >= base.end.number:
            known = best.get(number)
            best[number] = each if known is None or each.whole else known
    return [best[number] for number in sorted(best)]


def _without_hole(base: BaseBackup, later: Sequence[KeptSegment]) -> list[KeptSegment]:
    followed: list[KeptSegment] = []
    for number, each in enumerate(later, start=base.end.number):
        if each.segment.number != number:
            break
        followed.append(each)
        if not each.whole:
            break
    return followed


def _taken(timeline: int, newest: int, histories: Sequence[History]) -> tuple[History, ...]:
    """PostgreSQL takes the first number behind its own without a history, and of some none is kept."""
    known = {each.timeline: each for each in histories}
    unknown = [History(each, "") for each in range(timeline + 1, newest + 1) if each not in known]
    return (*histories, *unknown)


def outdated(backups: Iterable[BaseBackup], now: datetime) -> list[BaseBackup]:
    """What need not be kept any longer."""
    newest_first = sorted(backups, key=lambda each: each.ended_at, reverse=True)
    return [each for each in newest_first[KEEP_AT_LEAST:] if each.ended_at < now - KEEP]


def outdated_wal(kept: Iterable[KeptSegment], backups: Iterable[BaseBackup]) -> list[KeptSegment]:
    """What no kept base backup needs. Without any nothing is thrown away."""
    oldest = min((each.start for each in backups), default=None)
    replaced = {each.segment for each in kept if each.whole}
    return [
        each
        for each in kept
        if (oldest is not None and each.segment < oldest) or (not each.whole and each.segment in replaced)
    ]
