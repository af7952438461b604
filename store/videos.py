"""Videos: their rows, their settlement, and the start of a delivery."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.clock import Clock
from domain.credits import EntryKind
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import Language, VideoState
from store.counting import count_delivery, count_order, count_video
from store.database import Connection, Database, Row, load_queries
from store.ledger import Ledger

_RESTORED_WITHIN = timedelta(days=1)

_queries = load_queries("videos")


class AlreadySettled(Exception):
    """The video is closed: whoever asked has nothing left to do."""


class UnknownVideo(Exception):
    """There is no such video."""


@dataclass(frozen=True, slots=True)
class VideoRow:
    id: str
    order_id: str
    user_id: int
    number: int
    video_count: int
    price_credits: int
    state: VideoState
    failure_class: FailureClass | None
    failure_reason: FailureReason
    language: Language
    chat_id: int | None
    script: str | None
    photo_media_key: str | None
    photo_file_id: str
    card_file_id: str
    result_media_key: str | None
    result_width: int
    result_height: int
    result_seconds: float
    telegram_file_id: str | None
    sends_refused: int
    rating: int | None
    deadline_at: datetime
    may_be_resent: bool  # nothing was restored since it was ordered, or somebody has asked for it since


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the video's settlement is now; `won` when this call wrote it."""

    state: VideoState
    captured: bool
    won: bool


class Videos:
    def __init__(self, database: Database, ledger: Ledger, clock: Clock) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock

    async def read(self, video_id: str) -> VideoRow:
        """Raise UnknownVideo."""
        async with self._database.connection() as connection:
            row = await _queries.read_video(connection, video_id=video_id)
        if row is None:
            raise UnknownVideo(video_id)
        return _video(row)

    async def open(self, video_id: str) -> VideoRow:
        """From now on only this video's workflow, cancel or housekeeping settles it."""
        async with self._database.transaction() as connection:
            await self._locked_open(connection, video_id)
            await _queries.open_video(connection, video_id=video_id, now=self._clock())
        return await self.read(video_id)

    async def begin_delivery(self, video_id: str) -> VideoRow:
        """`OPEN → DELIVERING`, committed before the first send. Raise AlreadySettled."""
        async with self._database.transaction() as connection:
            await self._locked_open(connection, video_id)
            await _queries.begin_delivering(connection, video_id=video_id)
        return await self.read(video_id)

    async def settle(self, video_id: str, state: VideoState, failure: Failure | None = None) -> Settlement:
        """Close a video and capture or refund its price, in one transaction; first come, first served."""
        async with self._database.transaction() as connection:
            video = await self._locked(connection, video_id)
            current = VideoState(video["state"])
            if current.closed:
                return Settlement(current, current.captured, won=False)
            return await self.close_locked(connection, video, state, failure)

    async def cancel(self, video_id: str) -> Settlement:
        """CANCELLED and refunded, unless it may have been bought."""
        return await self._stop(video_id, VideoState.CANCELLED)

    async def give_up(self, video_id: str, failure: Failure) -> Settlement:
        """FAILED and refunded, unless it may have been bought: then it stays as it is."""
        return await self._stop(video_id, VideoState.FAILED, failure)

    async def refund_open(self, video_id: str, failure: Failure) -> Settlement:
        """FAILED and refunded, bought or not; what is being sent, or is over, stays as it is."""
        async with self._database.transaction() as connection:
            video = await self._locked(connection, video_id)
            current = VideoState(video["state"])
            if current is not VideoState.OPEN:
                return Settlement(current, current.captured, won=False)
            return await self.close_locked(connection, video, VideoState.FAILED, failure)

    async def _stop(self, video_id: str, state: VideoState, failure: Failure | None = None) -> Settlement:
        async with self._database.transaction() as connection:
            video = await self._locked(connection, video_id)
            current = VideoState(video["state"])
            if not await stoppable(connection, [video]):
                return Settlement(current, current.captured, won=False)
            return await self.close_locked(connection, video, state, failure)

    async def close_locked(
        self, connection: Connection, video: Row, state: VideoState, failure: Failure | None = None
    ) -> Settlement:
        """Of the caller's transaction. Rows are locked in one order everywhere: videos, order, wallet."""
        closed = await _queries.close_video(
            connection,
            video_id=video["id"],
            state=state.value,
            failure_class=failure.failure_class.value if failure else None,
            failure_reason=failure.reason.value if failure else FailureReason.NONE.value,
            now=self._clock(),
        )
        count_video(closed, state, failure)
        closed_id = await _queries.close_order_of_one(
            connection, order_id=video["order_id"], now=self._clock()
        )
        await count_order(connection, closed_id)
        await _queries.leave_queue(connection, video_id=video["id"])
        kind = await self._ledger.settle(
            connection, video["user_id"], video["id"], video["price_credits"], captured=state.captured
        )
        return Settlement(state, kind is EntryKind.CAPTURE, won=True)

    async def keep_result(
        self, video_id: str, media_key: str, width: int, height: int, seconds: float
    ) -> None:
        async with self._database.connection() as connection:
            await _queries.keep_result(
                connection,
                video_id=video_id,
                media_key=media_key,
                width=width,
                height=height,
                seconds=seconds,
                now=self._clock(),
            )

    async def keep_file_id(self, video_id: str, file_id: str) -> None:
        """Telegram's id of the sent video: from now on everything uses it."""
        async with self._database.connection() as connection:
            seconds = await _queries.keep_file_id(
                connection, video_id=video_id, file_id=file_id, now=self._clock()
            )
        count_delivery(seconds)

    async def count_refused_send(self, video_id: str) -> int:
        async with self._database.connection() as connection:
            return int(await _queries.count_refused_send(connection, video_id=video_id))

    async def ask_resend(self, video_id: str) -> None:
        """A person has asked; from before a restore nothing is sent again without that."""
        async with self._database.connection() as connection:
            await _queries.ask_resend(connection, video_id=video_id)

    async def mark_delivered(self, video_id: str) -> None:
        """A video that waited for its user has reached him."""
        async with self._database.connection() as connection:
            await _queries.mark_delivered(connection, video_id=video_id)

    async def of_order(self, order_id: str) -> list[str]:
        async with self._database.connection() as connection:
            return [row["id"] async for row in _queries.videos_of_order(connection, order_id=order_id)]

    async def waiting_for(self, tg_user_id: int) -> list[str]:
        async with self._database.connection() as connection:
            return [row["id"] async for row in _queries.waiting_videos(connection, tg_user_id=tg_user_id)]

    async def waiting_for_somebody_back(self, within: timedelta) -> list[str]:
        """Closed while their user came back, so that his return did not see them; not sent again yet."""
        since = self._clock() - within
        async with self._database.connection() as connection:
            rows = _queries.waiting_for_somebody_back(connection, closed_since=since)
            return [row["id"] async for row in rows]

    async def waiting_media(self) -> frozenset[str]:
        """The kept results of videos that have not reached their users yet."""
        async with self._database.connection() as connection:
            return frozenset([row["media_key"] async for row in _queries.waiting_media(connection)])

    async def delivered_file(self, video_id: str, tg_user_id: int) -> str | None:
        async with self._database.connection() as connection:
            file_id = await _queries.delivered_file(connection, video_id=video_id, tg_user_id=tg_user_id)
        return str(file_id) if file_id else None

    async def overdue(self, open_grace: timedelta, delivering_grace: timedelta) -> list[str]:
        """Videos past their deadline that nobody closed, the oldest first."""
        now = self._clock()
        async with self._database.connection() as connection:
            rows = _queries.overdue_videos(
                connection, open_before=now - open_grace, delivering_before=now - delivering_grace
            )
            return [row["id"] async for row in rows]

    async def untold(self, at_least: timedelta, at_most: timedelta) -> list[str]:
        """Settled so long ago, while nobody has begun to tell their users; by a restore, within a day."""
        now = self._clock()
        async with self._database.connection() as connection:
            rows = _queries.untold_videos(
                connection, since=now - at_most, until=now - at_least, restored_since=now - _RESTORED_WITHIN
            )
            return [row["id"] async for row in rows]

    async def _locked(self, connection: Connection, video_id: str) -> Row:
        row: Row | None = await _queries.lock_video(connection, video_id=video_id)
        if row is None:
            raise UnknownVideo(video_id)
        return row

    async def _locked_open(self, connection: Connection, video_id: str) -> Row:
        row = await self._locked(connection, video_id)
        if is_over(row):
            raise AlreadySettled(video_id)
        return row


def is_over(video: Row) -> bool:
    """Nobody works on it any more. A locked row's: it was closed, or ordered before a restore."""
    return VideoState(video["state"]).closed or bool(video["outdated"])


async def lock_videos(connection: Connection, order_id: str) -> list[Row]:
    """All of an order, in one order, so that two callers never wait for each other in a ring."""
    return [row async for row in _queries.lock_videos_of_order(connection, order_id=order_id)]


async def stoppable(connection: Connection, videos: Sequence[Row]) -> list[Row]:
    """Those that are open and surely not bought. Of locked rows this holds until the transaction ends."""
    asked = [video["id"] for video in videos]
    bought = {row["video_id"] async for row in _queries.bought_videos(connection, video_ids=asked)}
    return [
        video
        for video in videos
        if VideoState(video["state"]) is VideoState.OPEN and video["id"] not in bought
    ]


def _video(row: Row) -> VideoRow:
    return VideoRow(
        id=row["id"],
        order_id=row["order_id"],
        user_id=row["user_id"],
        number=row["number"],
        video_count=row["video_count"],
        price_credits=row["price_credits"],
        state=VideoState(row["state"]),
        failure_class=FailureClass(row["failure_class"]) if row["failure_class"] else None,
        failure_reason=FailureReason(row["failure_reason"]),
        language=Language(row["language"]),
        chat_id=row["tg_user_id"],
        script=row["script"],
        photo_media_key=row["photo_media_key"],
        photo_file_id=row["photo_file_id"],
        card_file_id=row["card_file_id"],
        result_media_key=row["result_media_key"],
        result_width=row["result_width"] or 0,
        result_height=row["result_height"] or 0,
        result_seconds=row["result_seconds"] or 0.0,
        telegram_file_id=row["telegram_file_id"],
        sends_refused=row["sends_refused"],
        rating=row["rating"],
        deadline_at=row["deadline_at"],
        may_be_resent=row["may_be_resent"],
    )
