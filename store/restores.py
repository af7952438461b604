"""The epoch: what a restore ends before anybody works on the restored rows."""

from dataclasses import dataclass
from datetime import datetime

from domain.backups import Segment
from domain.clock import Clock
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import VideoState
from store.database import Connection, Database, Row, load_queries
from store.ledger import Ledger
from store.videos import Videos, lock_videos

RESTORED = Failure(FailureClass.TEMPORARY, FailureReason.RESTORED)

_queries = load_queries("restores")


@dataclass(frozen=True, slots=True)
class Epoch:
    """`restored_to`: the moment the rows stand at; None for the first epoch, and where nobody knows.

    `timeline` is PostgreSQL's: each restore begins a new one.
    """

    epoch: int
    raised_at: datetime
    restored_to: datetime | None
    payments_read_at: datetime | None
    timeline: int | None


@dataclass(frozen=True, slots=True)
class Raised:
    """What was ended: orders, and of their videos those that were captured and those that were refunded."""

    epoch: Epoch
    orders: int = 0
    captured: int = 0
    refunded: int = 0


class Restores:
    """Raising an epoch is for the owner of the tables, the rest for every program."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def last_epoch(self) -> Epoch:
        async with self._database.connection() as connection:
            return _epoch(await _queries.last_epoch(connection))

    async def system_id(self) -> str:
        """Of the instance; a restored one keeps it."""
        async with self._database.connection() as connection:
            return str(await _queries.system_id(connection))

    async def timeline(self) -> int:
        async with self._database.connection() as connection:
            return int(await _queries.server_timeline(connection))

    async def written(self) -> Segment:
        """The segment of WAL that is being written."""
        async with self._database.connection() as connection:
            return Segment.of(await _queries.written(connection))

    async def slot_lost(self, slot: str) -> bool:
        """Nothing can be received through it any more."""
        async with self._database.connection() as connection:
            return bool(await _queries.slot_lost(connection, slot=slot))

    async def mark_wal(self) -> None:
        """Something to receive, also where nobody else writes."""
        async with self._database.connection() as connection:
            await _queries.mark_wal(connection)

    async def stands_at(self) -> datetime | None:
        async with self._database.connection() as connection:
            moment: datetime | None = await _queries.stands_at(connection)
        return moment

    async def raise_epoch(self, restored_to: datetime | None) -> Raised:
        """End every order of the epochs before, in one transaction with the new one."""
        async with self._database.transaction() as connection:
            await _queries.lock_writers(connection)
            before = _epoch(await _queries.last_epoch(connection))
            now = self._clock()
            ending = _Ending(self._database, lambda: now)  # by its time people are found who were not told
            timeline = await _queries.server_timeline(connection)
            await _queries.insert_epoch(
                connection, epoch=before.epoch + 1, now=now, restored_to=restored_to, timeline=timeline
            )
            await _queries.cancel_broadcasts(connection, now=now)
            outdated = _queries.outdated_orders(connection, epoch=before.epoch + 1)
            ended = [await ending.end(connection, order["id"]) async for order in outdated]
            epoch = _epoch(await _queries.last_epoch(connection))
        return Raised(epoch, len(ended), sum(each[0] for each in ended), sum(each[1] for each in ended))

    async def payments_unread(self) -> bool:
        """Since the last restore nobody has asked the provider what was paid."""
        async with self._database.connection() as connection:
            return bool(await _queries.payments_unread(connection))

    async def mark_payments_read(self) -> None:
        async with self._database.connection() as connection:
            await _queries.mark_payments_read(connection, now=self._clock())


class _Ending:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._videos = Videos(database, Ledger(database, clock), clock)

    async def end(self, connection: Connection, order_id: str) -> tuple[int, int]:
        """How many videos were captured, and how many refunded."""
        states = [
            await self._end_video(connection, video) for video in await lock_videos(connection, order_id)
        ]
        return states.count(VideoState.DELIVERED), states.count(VideoState.FAILED)

    async def _end_video(self, connection: Connection, video: Row) -> VideoState | None:
        """One that was being sent may have arrived since: it is captured, and offered again."""
        state = VideoState(video["state"])
        if state.closed:
            return None
        if state is VideoState.DELIVERING:
            settled = await self._videos.close_locked(connection, video, VideoState.DELIVERED)
        else:
            settled = await self._videos.close_locked(connection, video, VideoState.FAILED, RESTORED)
        return settled.state


def _epoch(row: Row) -> Epoch:
    return Epoch(row["epoch"], row["raised_at"], row["restored_to"], row["payments_read_at"], row["timeline"])
