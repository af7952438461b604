"""Orders: the tap, what an order is made of, and how it stands."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain import ids
from domain.clock import Clock
from domain.credits import NotEnoughCredits
from domain.failures import CLASS_POLICIES, Failure, FailureClass, FailureReason
from domain.library import Cancellation
from domain.orders import Brief, Language, Photo, VideoOptions, VideoState
from domain.shop import ShopRules
from store.counting import count_accepted, count_order, count_video
from store.database import Connection, Database, Row, load_queries
from store.ledger import Ledger
from store.order_rows import OrderRow, order_row
from store.videos import Videos, lock_videos, stoppable

_DAY: Final = timedelta(hours=24)
_SHOP_RULES: Final = ShopRules()

_queries = load_queries("orders")
_videos = load_queries("videos")


class PlacementKind(StrEnum):
    PLACED = "placed"
    ALREADY_PLACED = "already_placed"
    NOT_ENOUGH = "not_enough"
    TOO_MANY_OPEN = "too_many_open"
    TOO_MANY_TODAY = "too_many_today"
    SUPERSEDED = "superseded"
    NOT_YOURS = "not_yours"


@dataclass(frozen=True, slots=True)
class Placement:
    """What one tap on Generate did."""

    kind: PlacementKind
    order_id: str
    available: int = 0
    needed: int = 0
    video_count: int = 0
    goes_on_at: datetime | None = None


class _TooMany(Exception):
    """Takes the reservation back with it."""

    def __init__(self, kind: PlacementKind, goes_on_at: datetime | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.goes_on_at = goes_on_at


@dataclass(frozen=True, slots=True)
class OrderSource:
    """What a card made from an earlier order starts with."""

    brief: Brief
    photo: Photo
    video_count: int
    retryable_count: int
    language: Language
    price_credits: int
    options: VideoOptions
    views: tuple[Photo, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """Videos of an order by state; `open` includes those being delivered."""

    open: int = 0
    delivered: int = 0
    waiting: int = 0
    failed: int = 0
    cancelled: int = 0


class UnknownOrder(Exception):
    """There is no such order."""


class Orders:
    """`deadline` is tap → delivered or refunded."""

    def __init__(self, database: Database, ledger: Ledger, clock: Clock, deadline: timedelta) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._deadline = deadline
        self._settling = Videos(database, ledger, clock)

    async def place(
        self,
        draft_id: str,
        tg_user_id: int,
        card_message_id: int | None = None,
        rules: ShopRules = _SHOP_RULES,
    ) -> Placement:
        """Commit order, videos and the reservation together, or nothing at all."""
        try:
            async with self._database.transaction() as connection:
                return await self._place(connection, draft_id, tg_user_id, card_message_id, rules)
        except NotEnoughCredits as short:
            return Placement(PlacementKind.NOT_ENOUGH, draft_id, short.available, short.needed)
        except _TooMany as many:
            return Placement(many.kind, draft_id, goes_on_at=many.goes_on_at)

    async def _place(
        self,
        connection: Connection,
        draft_id: str,
        tg_user_id: int,
        card_message_id: int | None,
        rules: ShopRules,
    ) -> Placement:
        draft = await _queries.lock_draft(connection, draft_id=draft_id)
        if draft is None or draft["tg_user_id"] != tg_user_id:
            return Placement(PlacementKind.NOT_YOURS, draft_id)
        if await _queries.order_exists(connection, order_id=draft_id):
            return Placement(PlacementKind.ALREADY_PLACED, draft_id, video_count=draft["video_count"])
        if draft["superseded_at"] is not None:
            return Placement(PlacementKind.SUPERSEDED, draft_id)
        price_credits = draft["video_count"] * draft["price_credits"]
        await self._ledger.reserve(connection, draft["user_id"], draft_id, price_credits)
        await self._check_limits(connection, draft["user_id"], rules)
        await self._insert(connection, draft, price_credits)
        count_accepted(draft["template"])
        message_id = card_message_id or draft["card_message_id"]
        if message_id:
            await _queries.insert_card_placeholder(
                connection, order_id=draft_id, chat_id=tg_user_id, message_id=message_id, now=self._clock()
            )
        return Placement(PlacementKind.PLACED, draft_id, video_count=draft["video_count"])

    async def _check_limits(self, connection: Connection, user_id: int, rules: ShopRules) -> None:
        """The wallet is locked by now, so the orders of one user are counted one after another."""
        row = await _queries.orders_against_limits(
            connection,
            user_id=user_id,
            since=self._clock() - _DAY,
            others_today=rules.orders_per_day_max - 1,
        )
        if row["open_orders"] >= rules.open_orders_max:
            raise _TooMany(PlacementKind.TOO_MANY_OPEN)
        if row["in_the_way_since"] is not None:
            raise _TooMany(PlacementKind.TOO_MANY_TODAY, row["in_the_way_since"] + _DAY)

    async def _insert(self, connection: Connection, draft: Row, price_credits: int) -> None:
        now = self._clock()
        deadline_at = now + self._deadline
        await _queries.insert_order(
            connection,
            id=draft["id"],
            user_id=draft["user_id"],
            video_count=draft["video_count"],
            price_credits=price_credits,
            language=draft["language"],
            now=now,
            deadline_at=deadline_at,
        )
        await _queries.insert_videos(
            connection,
            video_ids=[ids.video_id(draft["id"], number) for number in range(1, draft["video_count"] + 1)],
            order_id=draft["id"],
            user_id=draft["user_id"],
            price_credits=draft["price_credits"],
            deadline_at=deadline_at,
        )

    async def owner_of(self, order_id: str) -> int | None:
        """Our own number of its user; None where there is no such order."""
        async with self._database.connection() as connection:
            user_id: int | None = await _queries.user_id_of(connection, order_id=order_id)
        return user_id

    async def read(self, order_id: str) -> OrderRow:
        """Raise UnknownOrder."""
        async with self._database.connection() as connection:
            row = await _queries.read_order(connection, order_id=order_id)
        if row is None:
            raise UnknownOrder(order_id)
        return order_row(row)

    async def reserve(self, order_id: str) -> bool:
        """Repeat the tap's reservation and get its first result."""
        async with self._database.transaction() as connection:
            order = await _queries.lock_order(connection, order_id=order_id)
            if order is None:
                raise UnknownOrder(order_id)
            try:
                return await self._ledger.reserve(
                    connection, order["user_id"], order_id, order["price_credits"]
                )
            except NotEnoughCredits:
                return False

    async def release(self, order_id: str, failure_class: FailureClass, reason: FailureReason) -> Progress:
        """Refund the videos whose workflow was never started, and remember why."""
        async with self._database.transaction() as connection:
            unopened = [row async for row in _videos.lock_unopened_videos(connection, order_id=order_id)]
            order = await _queries.lock_order(connection, order_id=order_id)
            if order is None:
                raise UnknownOrder(order_id)
            await self._refund(connection, order, unopened, Failure(failure_class, reason))
            closed_id = await _queries.close_order(
                connection,
                order_id=order_id,
                now=self._clock(),
                failure_class=failure_class.value,
                failure_reason=reason.value,
            )
            await count_order(connection, closed_id)
        return await self.progress(order_id)

    async def _refund(self, connection: Connection, order: Row, videos: list[Row], failure: Failure) -> None:
        reserved = not await self._ledger.void_if_unreserved(connection, order["user_id"], order["id"])
        for video in videos:
            if reserved:
                await self._ledger.settle(
                    connection, video["user_id"], video["id"], video["price_credits"], captured=False
                )
            closed = await _videos.close_video(
                connection,
                video_id=video["id"],
                state=VideoState.FAILED.value,
                failure_class=failure.failure_class.value,
                failure_reason=failure.reason.value,
                now=self._clock(),
            )
            count_video(closed, VideoState.FAILED, failure)

    async def cancellable(self, order_id: str, tg_user_id: int) -> Cancellation | None:
        """What a cancel would stop now; None for an order that is not this user's."""
        async with self._database.transaction() as connection:
            return await self._cancellation(connection, order_id, tg_user_id)

    async def cancel(self, order_id: str, tg_user_id: int) -> Cancellation | None:
        """Stop and refund, in one transaction, every video that is surely not bought; the others go on.

        Workflows find their rows closed. A repeat is answered as before. None: not this user's order.
        """
        async with self._database.transaction() as connection:
            videos = {video["id"]: video for video in await lock_videos(connection, order_id)}
            cancellation = await self._cancellation(connection, order_id, tg_user_id)
            if cancellation is None or not cancellation.stopped_video_ids:
                return cancellation and await self._cancelled_before(connection, cancellation)
            await _queries.lock_order(connection, order_id=order_id)
            for video_id in cancellation.stopped_video_ids:
                await self._settling.close_locked(connection, videos[video_id], VideoState.CANCELLED)
            if not cancellation.going_on:
                await self._close(connection, order_id)
        return cancellation

    async def _cancelled_before(self, connection: Connection, now: Cancellation) -> Cancellation:
        """As it is now where nothing was ever stopped: too late, or over."""
        row = await _queries.cancelled_videos(connection, order_id=now.order_id)
        stopped = tuple(row["ids"])
        return replace(now, stopped_video_ids=stopped, credits_back=row["credits"], repeated=bool(stopped))

    async def _cancellation(
        self, connection: Connection, order_id: str, tg_user_id: int
    ) -> Cancellation | None:
        if await _queries.owner(connection, order_id=order_id) != tg_user_id:
            return None
        rows = _videos.open_videos_of_order(connection, order_id=order_id)
        videos = [row async for row in rows]
        stopped = await stoppable(connection, videos)
        return Cancellation(
            order_id=order_id,
            stopped_video_ids=tuple(video["id"] for video in stopped),
            going_on=len(videos) - len(stopped),
            credits_back=sum(video["price_credits"] for video in stopped),
        )

    async def close(self, order_id: str) -> Progress:
        async with self._database.connection() as connection:
            await self._close(connection, order_id)
        return await self.progress(order_id)

    async def _close(self, connection: Connection, order_id: str) -> None:
        closed_id = await _queries.close_order(
            connection, order_id=order_id, now=self._clock(), failure_class=None, failure_reason="none"
        )
        await count_order(connection, closed_id)

    async def progress(self, order_id: str) -> Progress:
        async with self._database.connection() as connection:
            rows = {
                VideoState(row["state"]): row["videos"]
                async for row in _queries.progress(connection, order_id=order_id)
            }
        return Progress(
            open=rows.get(VideoState.OPEN, 0) + rows.get(VideoState.DELIVERING, 0),
            delivered=rows.get(VideoState.DELIVERED, 0),
            waiting=rows.get(VideoState.WAITING, 0),
            failed=rows.get(VideoState.FAILED, 0),
            cancelled=rows.get(VideoState.CANCELLED, 0),
        )

    async def unstarted(self, older_than: timedelta) -> list[str]:
        """Committed orders without a workflow."""
        async with self._database.connection() as connection:
            rows = _queries.unstarted(connection, before=self._clock() - older_than)
            return [row["id"] async for row in rows]

    async def mark_started(self, order_id: str) -> None:
        async with self._database.connection() as connection:
            await _queries.mark_started(connection, order_id=order_id, now=self._clock())

    async def keep_photo(self, order_id: str, media_key: str, width: int, height: int) -> None:
        async with self._database.connection() as connection:
            await _queries.keep_photo(
                connection, order_id=order_id, media_key=media_key, width=width, height=height
            )

    async def keep_views(self, order_id: str, media_keys: list[str]) -> None:
        """The further pictures of the product, in the order they were sent."""
        async with self._database.connection() as connection:
            await _queries.keep_views(connection, order_id=order_id, media_keys=media_keys)

    async def keep_scripts(self, order_id: str, scripts: list[str]) -> None:
        """One per video, in order; scripts that are there already stay."""
        async with self._database.transaction() as connection:
            for number, script in enumerate(scripts, start=1):
                await _queries.set_script(connection, video_id=ids.video_id(order_id, number), script=script)

    async def has_scripts(self, order_id: str) -> bool:
        async with self._database.connection() as connection:
            return all([row["script"] async for row in _queries.scripts(connection, order_id=order_id)])

    async def refunded_credits(self, order_id: str) -> int:
        async with self._database.connection() as connection:
            return int(await _queries.refunded_credits(connection, order_id=order_id))

    async def retryable_count(self, order_id: str) -> int:
        """Failed videos whose class offers Try again."""
        async with self._database.connection() as connection:
            rows = _queries.failed_videos(connection, order_id=order_id)
            classes = [row["failure_class"] async for row in rows]
        return sum(CLASS_POLICIES[FailureClass(each)].offers_try_again for each in classes if each)

    async def source(self, order_id: str, tg_user_id: int) -> OrderSource | None:
        """None for an order that is not this user's."""
        async with self._database.connection() as connection:
            row = await _queries.read_order(connection, order_id=order_id)
        if row is None or row["tg_user_id"] != tg_user_id:
            return None
        order = order_row(row)
        return OrderSource(
            order.brief,
            order.photo,
            order.video_count,
            await self.retryable_count(order_id),
            order.language,
            row["video_price_credits"],
            order.options,
            order.views,
        )
