"""What stands open, and by which workflow it was begun: whether that still lives, Temporal knows."""

from dataclasses import dataclass
from datetime import datetime

from domain import ids
from domain.orders import VideoState
from store.database import Database, load_queries

_queries = load_queries("lost_work")


@dataclass(frozen=True, slots=True)
class WatchedVideo:
    """`begun_at`: by its own workflow if `opened`, else by its order's."""

    id: str
    state: VideoState
    opened: bool
    bought: bool
    begun_at: datetime
    ready_at: datetime | None

    @property
    def workflow_ids(self) -> tuple[str, ...]:
        """All who may still bring it to an end. A child that was started may not have opened its row yet."""
        own = ids.video_workflow_id(self.id)
        order = ids.order_workflow_id(ids.order_id_of_video(self.id))
        return (own,) if self.opened else (order, own)


@dataclass(frozen=True, slots=True)
class UnclosedOrder:
    id: str
    video_count: int
    begun_at: datetime

    @property
    def workflow_id(self) -> str:
        return ids.order_workflow_id(self.id)


class LostWorkRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def watched_videos(
        self, now: datetime, begun_before: datetime, rows_max: int
    ) -> list[WatchedVideo]:
        """Past its deadline a video is housekeeping's."""
        async with self._database.connection() as connection:
            rows = _queries.watched_videos(connection, now=now, begun_before=begun_before, rows_max=rows_max)
            return [
                WatchedVideo(
                    id=row["id"],
                    state=VideoState(row["state"]),
                    opened=row["opened_at"] is not None,
                    bought=row["bought"],
                    begun_at=row["opened_at"] or row["workflow_started_at"],
                    ready_at=row["ready_at"],
                )
                async for row in rows
            ]

    async def unclosed_orders(self, begun_before: datetime, rows_max: int) -> list[UnclosedOrder]:
        async with self._database.connection() as connection:
            rows = _queries.unclosed_orders(connection, begun_before=begun_before, rows_max=rows_max)
            return [
                UnclosedOrder(row["id"], row["video_count"], row["workflow_started_at"]) async for row in rows
            ]
