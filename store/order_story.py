"""Everything the rows say of one order. No text of its user is read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import ids
from store.database import Database, load_queries
from store.orders import UnknownOrder

_queries = load_queries("order_story")


@dataclass(frozen=True, slots=True)
class OrderFacts:
    id: str
    tg_user_id: int | None
    user_blocked: bool
    user_forgotten: bool
    available: int
    reserved: int
    language: str
    template: str
    origin: str
    source_order_id: str | None
    aspect_ratio: str
    video_seconds: int
    video_count: int
    price_credits: int
    state: str
    failure_class: str | None
    failure_reason: str
    epoch: int
    epoch_now: int
    created_at: datetime
    deadline_at: datetime
    workflow_started_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class VideoFacts:
    id: str
    number: int
    state: str
    price_credits: int
    failure_class: str | None
    failure_reason: str
    has_script: bool
    result_media_key: str | None
    is_at_telegram: bool
    sends_refused: int
    rating: int | None
    enqueued_at: datetime | None
    opened_at: datetime | None
    ready_at: datetime | None
    delivered_at: datetime | None
    closed_at: datetime | None
    deadline_at: datetime

    @property
    def is_open(self) -> bool:
        return self.state in {"OPEN", "DELIVERING"}


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    id: str
    video_number: int
    number: int
    video_model: str
    account: str
    key_id: str
    state: str
    task_state: str | None
    kie_task_id: str | None
    failure_class: str | None
    failure_reason: str
    failure_code: str
    raw_answer: str
    credits_consumed: float | None
    admitted_at: datetime
    sent_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntryFacts:
    kind: str
    available_delta: int
    reserved_delta: int
    cause: str
    video_id: str | None
    available_after: int
    reserved_after: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """`video_number` 0: of the order itself."""

    video_number: int
    purpose: str
    step: int
    state: str
    message_id: int | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DeedFacts:
    action: str
    by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OrderStory:
    order: OrderFacts
    videos: tuple[VideoFacts, ...]
    attempts: tuple[AttemptFacts, ...]
    entries: tuple[EntryFacts, ...]
    messages: tuple[MessageFacts, ...]
    deeds: tuple[DeedFacts, ...]

    @property
    def is_open(self) -> bool:
        return self.order.state == "OPEN" or any(video.is_open for video in self.videos)

    def attempts_of(self, number: int) -> list[AttemptFacts]:
        return [attempt for attempt in self.attempts if attempt.video_number == number]


class OrderStories:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def order_of_kie_task(self, kie_task_id: str) -> str | None:
        async with self._database.connection() as connection:
            video_id = await _queries.video_of_kie_task(connection, kie_task_id=kie_task_id)
        return ids.order_id_of_video(video_id) if video_id else None

    async def read(self, order_id: str) -> OrderStory:
        """As of one moment. Raise UnknownOrder."""
        async with self._database.snapshot() as connection:
            order = await _queries.order(connection, order_id=order_id)
            if order is None:
                raise UnknownOrder(order_id)
            videos = await _read(VideoFacts, _queries.videos(connection, order_id=order_id))
            causes = [ids.reserve_cause(order_id), *(ids.settle_cause(video.id) for video in videos)]
            return OrderStory(
                order=OrderFacts(**order),
                videos=videos,
                attempts=await _read(AttemptFacts, _queries.attempts(connection, order_id=order_id)),
                entries=await _read(EntryFacts, _queries.entries(connection, causes=causes)),
                messages=await _read(MessageFacts, _queries.messages(connection, order_id=order_id)),
                deeds=await _read(DeedFacts, _queries.deeds(connection, order_id=order_id)),
            )


async def _read(shape: Any, rows: Any) -> tuple[Any, ...]:
    """The columns are named as the fields."""
    return tuple([shape(**row) async for row in rows])
