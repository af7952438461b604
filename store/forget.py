"""Forgetting a person: the rows stay, for the books, and nothing in them leads to anybody.

What lies elsewhere (media, workflow histories) is deleted later, from an outbox that this transaction fills.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import asyncpg

from domain import ids
from domain.clock import Clock
from domain.credits import Entry, EntryKind
from store.database import Connection, Database, load_queries
from store.ledger import Ledger

_queries = load_queries("forget")

KEPT_ELSEWHERE: Final = timedelta(days=31)
"""Media and histories live thirty days, and are deleted once a day."""

DUE_AFTER: Final = timedelta(seconds=10)
_SHELF: Final = timedelta(days=30)
_TRIES_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a person loses, and what stands in the way: orders in the making, refunds on their way."""

    known_since: datetime
    available: int
    videos: int
    open_orders: int = 0
    refunds: int = 0

    @property
    def can_be_forgotten(self) -> bool:
        return not (self.open_orders or self.refunds)


class Outcome(StrEnum):
    FORGOTTEN = "forgotten"
    NOBODY = "nobody"  # not known, or forgotten before
    NOT_YET = "not_yet"
    CHANGED = "changed"  # more or fewer credits would be lost than was said


@dataclass(frozen=True, slots=True)
class OrderElsewhere:
    """An order whose pictures, videos or workflows may still be kept outside the database."""

    order_id: str
    video_count: int

    @property
    def video_ids(self) -> list[str]:
        return [ids.video_id(self.order_id, number) for number in range(1, self.video_count + 1)]


class Forgetting:
    """`due_after`: what was under way gets so long, before everything is gone over again."""

    def __init__(
        self, database: Database, ledger: Ledger, clock: Clock, due_after: timedelta = DUE_AFTER
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._due_after = due_after

    async def look(self, tg_user_id: int) -> Belongings | None:
        """None for somebody we do not know."""
        async with self._database.connection() as connection:
            found = await self._find(connection, tg_user_id)
        return found[1] if found else None

    async def is_gone(self, tg_user_id: int, fingerprint: str) -> bool:
        """Forgotten, and not back since."""
        async with self._database.connection() as connection:
            return bool(await _queries.is_gone(connection, tg_user_id=tg_user_id, fingerprint=fingerprint))

    async def forget(self, tg_user_id: int, fingerprint: str, available_said: int | None = None) -> Outcome:
        """All of it or nothing. `available_said`: how many credits the person was told he would lose."""
        for tried in range(1, _TRIES_MAX + 1):
            try:
                async with self._database.transaction() as connection:
                    return await self._forget(connection, tg_user_id, fingerprint, available_said)
            except asyncpg.DeadlockDetectedError:  # something of his own was under way in another chat's lane
                if tried == _TRIES_MAX:
                    raise
        raise AssertionError("unreachable")

    async def _forget(
        self, connection: Connection, tg_user_id: int, fingerprint: str, available_said: int | None
    ) -> Outcome:
        found = await self._find(connection, tg_user_id)
        if found is None:
            return Outcome.NOBODY
        user_id, _ = found
        await _queries.lock_deeds(connection, tg_user_id=tg_user_id)
        await self._lock(connection, user_id)
        found = await self._find(connection, tg_user_id)
        if found is None:
            return Outcome.NOBODY  # the other Yes was faster
        if not found[1].can_be_forgotten:
            return Outcome.NOT_YET
        if available_said not in (None, found[1].available):
            return Outcome.CHANGED
        await self._erase(connection, user_id)
        await self._erase_person(connection, user_id, tg_user_id)
        now = self._clock()
        await _queries.remember_fingerprint(connection, fingerprint=fingerprint, now=now)
        await _queries.put_into_outbox(connection, user_id=user_id, due=now + self._due_after)
        await self._write_off(connection, user_id, found[1].available)
        await _queries.erase_user(connection, user_id=user_id, now=now)
        return Outcome.FORGOTTEN

    async def _find(self, connection: Connection, tg_user_id: int) -> tuple[int, Belongings] | None:
        now = self._clock()
        row = await _queries.find_person(connection, tg_user_id=tg_user_id, now=now, since=now - _SHELF)
        if row is None:
            return None
        belongings = Belongings(
            known_since=row["created_at"],
            available=row["available"],
            videos=row["videos"],
            open_orders=row["open_orders"],
            refunds=row["refunds"],
        )
        return row["id"], belongings

    async def _lock(self, connection: Connection, user_id: int) -> None:
        """In the order everybody keeps. The person before his wallet, as a payment that is booked does it."""
        for lock in (
            _queries.lock_drafts,
            _queries.lock_videos,
            _queries.lock_orders,
            _queries.lock_payments,
            _queries.lock_user,
            _queries.lock_wallet,
        ):
            await lock(connection, user_id=user_id)

    async def _erase(self, connection: Connection, user_id: int) -> None:
        """Repeatable: what an update that was under way wrote meanwhile goes the second time."""
        await _queries.erase_drafts(connection, user_id=user_id, now=self._clock())
        for erase in (
            _queries.erase_videos,
            _queries.erase_orders,
            _queries.erase_attempts,
            _queries.erase_messages,
            _queries.erase_payments,
            _queries.delete_waiting_draft,
            _queries.delete_notes,
        ):
            await erase(connection, user_id=user_id)

    async def _erase_person(self, connection: Connection, user_id: int, tg_user_id: int) -> None:
        """Where the Telegram id itself stands."""
        for rename in (
            _queries.erase_actions,
            _queries.erase_actions_of,
            _queries.erase_deeds_of,
        ):
            await rename(connection, user_id=user_id, tg_user_id=tg_user_id)
        for erase in (
            _queries.erase_deeds,
            _queries.delete_conversations,
            _queries.delete_albums,
            _queries.delete_limits,
            _queries.delete_lease,
        ):
            await erase(connection, tg_user_id=tg_user_id)

    async def _write_off(self, connection: Connection, user_id: int, available: int) -> None:
        """Nobody can spend them any more, so nobody owes them."""
        if available:
            entry = Entry(user_id, EntryKind.GRANT, ids.forget_cause(user_id), -available)
            await self._ledger.write(connection, entry)

    # -- the outbox

    async def lease(self, lease: timedelta) -> int | None:
        """Whose things elsewhere are due. Due again after the lease, whatever becomes of us."""
        now = self._clock()
        async with self._database.connection() as connection:
            row = await _queries.lease_person(connection, now=now, leased_until=now + lease)
        return int(row["user_id"]) if row else None

    async def erase_again(self, user_id: int) -> None:
        """And what the last updates of people nobody knows left behind."""
        async with self._database.transaction() as connection:
            await self._lock(connection, user_id)
            await self._erase(connection, user_id)
        await self.erase_strangers()

    async def erase_strangers(self) -> None:
        before = self._clock() - self._due_after
        async with self._database.connection() as connection:
            for delete in (
                _queries.delete_strangers_conversations,
                _queries.delete_strangers_albums,
                _queries.delete_strangers_limits,
                _queries.delete_strangers_leases,
            ):
                await delete(connection, before=before)

    async def elsewhere(self, user_id: int) -> list[OrderElsewhere]:
        since = self._clock() - KEPT_ELSEWHERE
        async with self._database.connection() as connection:
            rows = _queries.orders_elsewhere(connection, user_id=user_id, since=since)
            return [OrderElsewhere(row["id"], row["video_count"]) async for row in rows]

    async def postpone(self, user_id: int, after: timedelta) -> None:
        async with self._database.connection() as connection:
            await _queries.postpone_person(connection, user_id=user_id, next_try_at=self._clock() + after)

    async def finish(self, user_id: int) -> None:
        async with self._database.connection() as connection:
            await _queries.finish_person(connection, user_id=user_id)
