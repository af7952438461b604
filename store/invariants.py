"""Looks whether what must always be true is true, and keeps what is not.

A check walks the tables by their pages, a stretch per statement. The incremental one looks only at rows
that were written since the walk before began, by the transaction that each row carries: nothing has to
stamp a row, and nobody who writes one can be missed.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain.clock import Clock
from domain.invariants import FROZEN_XID, Broken, BrokenRule, Checked, Found, Rule, Walk
from store.database import Database, Row, load_queries

_queries = load_queries("invariants")

# Housekeeping comes every minute: an OPEN video is its own a minute past the deadline, a DELIVERING one
# five minutes past it.
_OPEN_GRACE: Final = timedelta(minutes=4)
_DELIVERING_GRACE: Final = timedelta(minutes=8)
_RECHECKED_MAX: Final = 5_000
_IDS_EACH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Pace:
    """Pages of 8 kB. A statement on a whole stretch takes tenths of a second."""

    pages_each: int = 8_192
    pages_each_of_all: int = 512  # of a walk that looks at every row
    pages_max: int = 65_536  # of a table in one incremental check; a larger one takes several


@dataclass(frozen=True, slots=True)
class _Table:
    """`check` judges its rows; the rules it is counted under."""

    name: str
    check: Callable[..., Awaitable[Row]]
    rules: tuple[Rule, ...]


_TABLES: Final = (
    _Table("credit_entries", _queries.check_entries, ()),
    _Table("wallets", _queries.check_wallets, (Rule.WALLETS,)),
    _Table("videos", _queries.check_videos, (Rule.SETTLED_ONCE, Rule.STATE_AND_SETTLEMENT)),
    _Table("attempts", _queries.check_attempts, (Rule.BOUGHT_ONCE,)),
    _Table("payments", _queries.check_payments, (Rule.PAYMENTS,)),
)
_ENTRIES, _WALLETS, _VIDEOS, _ATTEMPTS, _PAYMENTS = _TABLES

# Which checks can say whether a subject of a rule is broken.
_JUDGES: Final = {
    Rule.WALLETS: (_WALLETS, _ENTRIES),
    Rule.SETTLED_ONCE: (_VIDEOS, _ENTRIES),
    Rule.STATE_AND_SETTLEMENT: (_VIDEOS,),
    Rule.BOUGHT_ONCE: (_ATTEMPTS,),
    Rule.PAYMENTS: (_PAYMENTS, _ENTRIES),
}


@dataclass(frozen=True, slots=True)
class News:
    """Of each rule, what the admins have not read yet; `through` is when this was read."""

    broken: dict[Rule, BrokenRule]
    mended: dict[Rule, BrokenRule]
    through: datetime

    @property
    def empty(self) -> bool:
        return not self.broken and not self.mended


class Invariants:
    def __init__(self, database: Database, clock: Clock, pace: Pace | None = None) -> None:
        self._database = database
        self._clock = clock
        self._pace = pace or Pace()

    async def check(self, *, complete: bool, ids_max: int) -> Checked:
        """The incremental check becomes a complete one where rows were deleted: nothing points at them."""
        previous = await self._one(_queries.read_check, name="incremental")
        deleted = await self._value(_queries.rows_deleted)
        lost_rows = previous is not None and previous["rows_deleted"] != deleted
        complete = complete or lost_rows
        found = Found()
        for table in _TABLES:
            await (self._walk_all(table, found) if complete else self._walk_on(table, found))
        await self._check_open_videos(found)
        await self._recheck(found)
        await self._keep(found)
        await self._note(deleted, complete=complete)
        return Checked(
            complete=complete,
            rows=found.rows,
            broken=await self.broken(ids_max),
            previous_at=previous["checked_at"] if previous else None,
            has_news=await self._value(_queries.untold),
        )

    async def broken(self, ids_max: int) -> dict[Rule, BrokenRule]:
        return _by_rule(await self._rows(_queries.broken_now, ids_max=ids_max))

    async def checked_at(self, name: str = "incremental") -> datetime | None:
        row = await self._one(_queries.read_check, name=name)
        return row["checked_at"] if row else None

    async def broken_count(self) -> int:
        return int(await self._value(_queries.broken_count))

    async def told_at(self) -> datetime | None:
        """The last message to the admins that said what is broken."""
        at: datetime | None = await self._value(_queries.last_told)
        return at

    async def news(self, ids_max: int) -> News:
        through = self._clock()
        broken = await self._rows(_queries.untold_broken, through=through, ids_max=ids_max)
        mended = await self._rows(_queries.untold_mended, through=through, ids_max=ids_max)
        return News(_by_rule(broken), _by_rule(mended), through)

    async def told(self, through: datetime) -> None:
        async with self._database.transaction() as connection:
            await _queries.mark_told(connection, through=through, now=self._clock())
            await _queries.mark_mend_told(connection, through=through, now=self._clock())

    # -- walking

    async def _walk_all(self, table: _Table, found: Found) -> None:
        """Each stretch by itself: no snapshot is held from the first to the last."""
        walk = Walk.begin(FROZEN_XID)
        pages = await self._value(_queries.pages, name=table.name)
        for first, before in walk.stretches(pages, self._pace.pages_each_of_all):
            await self._check_stretch(table, walk, first, before, found)

    async def _walk_on(self, table: _Table, found: Found) -> None:
        """Where the check before stopped, with what was written since its walk's predecessor began."""
        walk = await self._walk_of(table)
        pages = await self._value(_queries.pages, name=table.name)
        through, rest = walk.walked(pages, self._pace.pages_max)
        each = self._pace.pages_each_of_all if walk.looks_at_all else self._pace.pages_each
        for first, before in walk.stretches(through, each):
            await self._check_stretch(table, walk, first, before, found)
            if table is _ENTRIES and not walk.looks_at_all:
                await self._check_touched(walk, first, before, found)
        kept = rest or Walk(0, walk.begun_xid, 0)
        await self._write(
            _queries.keep_walk,
            name=table.name,
            next_page=kept.next_page,
            since_xid=kept.since_xid,
            begun_xid=kept.begun_xid,
        )

    async def _walk_of(self, table: _Table) -> Walk:
        now_xid = await self._value(_queries.oldest_running)
        row = await self._one(_queries.read_walk, name=table.name)
        if row is None:
            return Walk.begin(now_xid)
        if row["next_page"] == 0:
            return Walk.begin(now_xid, row["since_xid"])
        return Walk(row["next_page"], Walk.begin(now_xid, row["since_xid"]).since_xid, row["begun_xid"])

    async def _check_stretch(self, table: _Table, walk: Walk, first: int, before: int, found: Found) -> None:
        stretch = {"first": (first, 0), "before": (before, 0), "since": walk.since}
        await self._judge(table, found, ids=[], **stretch)

    async def _check_touched(self, walk: Walk, first: int, before: int, found: Found) -> None:
        """An entry that came, or was changed, alone."""
        touched = await self._walked(
            _queries.touched_by_entries, first=(first, 0), before=(before, 0), since=walk.since
        )
        await self._check_ids(_WALLETS, touched["users"], found)
        await self._check_ids(_VIDEOS, touched["videos"], found)
        await self._check_ids(_PAYMENTS, touched["payments"], found)

    async def _check_ids(self, table: _Table, subjects: Sequence[str], found: Found) -> None:
        for start in range(0, len(subjects), _IDS_EACH):
            await self._judge(table, found, ids=subjects[start : start + _IDS_EACH], **_NO_STRETCH)

    async def _judge(self, table: _Table, found: Found, **which: Any) -> None:
        row = await self._walked(table.check, **which)
        found.add(table.rules, row["checked"], _broken(row))

    async def _check_open_videos(self, found: Found) -> None:
        now = self._clock()
        row = await self._one(
            _queries.check_open_videos,
            open_before=now - _OPEN_GRACE,
            delivering_before=now - _DELIVERING_GRACE,
        )
        found.add((Rule.DEADLINES,), row["checked"], _broken(row))

    # -- what is known to be broken

    async def _recheck(self, found: Found) -> None:
        """What nobody touched since is still as it was; what somebody mended is not."""
        rows = await self._rows(_queries.known_broken, rows_max=_RECHECKED_MAX)
        known = [Broken(Rule(row["rule"]), row["subject"]) for row in rows]
        still = Found()
        for rule, judges in _JUDGES.items():
            subjects = [each.subject for each in known if each.rule is rule]
            for judge in judges:
                await self._check_ids(judge, _fitting(judge, subjects), still)
        found.broken.update(still.broken)
        mended = [each for each in known if (each.rule, each.subject) not in found.broken]
        await self._write(_queries.mark_mended, now=self._clock(), **_columns(mended))

    async def _keep(self, found: Found) -> None:
        broken = list(found.broken.values())
        for start in range(0, len(broken), _IDS_EACH):
            batch = broken[start : start + _IDS_EACH]
            details = [each.details for each in batch]
            await self._write(_queries.keep_broken, now=self._clock(), details=details, **_columns(batch))

    async def _note(self, rows_deleted: int, *, complete: bool) -> None:
        for name in ("incremental", "complete")[: 1 + complete]:
            await self._write(_queries.keep_check, name=name, now=self._clock(), rows_deleted=rows_deleted)

    # -- one statement each

    async def _one(self, query: Callable[..., Awaitable[Any]], **which: Any) -> Any:
        async with self._database.connection() as connection:
            return await query(connection, **which)

    async def _walked(self, query: Callable[..., Awaitable[Row]], **which: Any) -> Row:
        async with self._database.transaction() as connection:
            await _queries.without_jit(connection)
            return await query(connection, **which)

    _value = _one
    _write = _one

    async def _rows(self, query: Callable[..., Any], **which: Any) -> list[Row]:
        async with self._database.connection() as connection:
            return [row async for row in query(connection, **which)]


_NO_STRETCH: Final = {"first": (0, 0), "before": (0, 0), "since": FROZEN_XID}


def _fitting(judge: _Table, subjects: Sequence[str]) -> list[str]:
    """A wallet's subject is a number; an entry's is not."""
    return [each for each in subjects if each.isdecimal()] if judge is _WALLETS else list(subjects)


def _broken(row: Row) -> list[Broken]:
    return [Broken(Rule(each["rule"]), each["subject"], each["details"]) for each in row["broken"]]


def _columns(broken: Sequence[Broken]) -> dict[str, list[str]]:
    return {
        "rules": [each.rule.value for each in broken],
        "subjects": [each.subject for each in broken],
    }


def _by_rule(rows: Iterable[Row]) -> dict[Rule, BrokenRule]:
    """Rows come rule by rule, each with the number of all of its rule."""
    grouped: dict[Rule, list[Row]] = {}
    for row in rows:
        grouped.setdefault(Rule(row["rule"]), []).append(row)
    return {
        rule: BrokenRule(
            rule,
            of_rule[0]["broken"],
            tuple(Broken(rule, row["subject"], row.get("details", "")) for row in of_rule),
        )
        for rule, of_rule in grouped.items()
    }
