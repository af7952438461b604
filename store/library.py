"""What a user sees of his own: open orders, and the videos of the last weeks."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from domain.clock import Clock
from domain.library import OpenOrder, ShelfPage, ShelfVideo, VideoFacts
from domain.orders import Template, VideoState
from store.database import Database, Row, load_queries

_queries = load_queries("library")

SHELF_AGE_MAX: Final = timedelta(days=30)
SHELF_PAGE_VIDEOS: Final = 5


class Library:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def open_orders(self, tg_user_id: int) -> list[OpenOrder]:
        """The oldest first, each with all of its videos. Places in the queue are admission's to tell."""
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.open_videos(connection, tg_user_id=tg_user_id)]
        return [_order(list(videos)) for _, videos in groupby(rows, key=lambda row: row["order_id"])]

    async def shelf(self, tg_user_id: int, page: int) -> ShelfPage:
        """Newest first; a page beyond the end is the last one."""
        since = self._clock() - SHELF_AGE_MAX
        async with self._database.connection() as connection:
            count = await _queries.shelf_count(connection, tg_user_id=tg_user_id, since=since)
            pages = max(1, -(-count // SHELF_PAGE_VIDEOS))
            shown = min(max(page, 0), pages - 1)
            rows = _queries.shelf(
                connection,
                tg_user_id=tg_user_id,
                since=since,
                limit=SHELF_PAGE_VIDEOS,
                offset=shown * SHELF_PAGE_VIDEOS,
            )
            return ShelfPage(tuple([_shelf_video(row) async for row in rows]), shown, pages)

    async def rate(self, video_id: str, tg_user_id: int, rating: int) -> bool:
        """The last tap counts. False for a video this user never got."""
        async with self._database.connection() as connection:
            rated = await _queries.rate(
                connection, video_id=video_id, tg_user_id=tg_user_id, rating=rating, now=self._clock()
            )
        return rated is not None

    async def placeholders(self, order_id: str, numbers: Iterable[int]) -> dict[int, int]:
        """The message of each of these videos, where there is one."""
        async with self._database.connection() as connection:
            rows = _queries.placeholders(connection, order_id=order_id, numbers=list(numbers))
            return {row["video_number"]: row["message_id"] async for row in rows}


def _order(videos: Sequence[Row]) -> OpenOrder:
    first = videos[0]
    ordered_at: datetime = first["created_at"]
    facts = tuple(_facts(row) for row in videos)
    return OpenOrder(first["order_id"], Template(first["template"]), _words(first), ordered_at, facts)


def _facts(row: Row) -> VideoFacts:
    return VideoFacts(
        id=row["video_id"],
        number=row["number"],
        state=VideoState(row["state"]),
        written=row["written"],
        queued=row["queued"],
        bought=row["bought"],
        made=row["made"],
    )


def _shelf_video(row: Row) -> ShelfVideo:
    return ShelfVideo(row["id"], Template(row["template"]), _words(row), row["closed_at"])


def _words(row: Row) -> str:
    return str(row["product_text"] or row["own_prompt"])
