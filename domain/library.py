"""What a user sees of his own: open orders, and the videos of the last weeks."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.orders import Template, VideoState


class Standing(StrEnum):
    """How far a video is, for the person who waits for it."""

    WRITING = "writing"
    QUEUED = "queued"
    STARTING = "starting"
    MAKING = "making"
    SENDING = "sending"
    DELIVERED = "delivered"
    WAITING = "waiting"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What the rows say of a video. `place` 1 is the next one of the queue."""

    id: str
    number: int
    state: VideoState
    written: bool = False
    queued: bool = False
    bought: bool = False
    made: bool = False
    place: int = 0

    @property
    def standing(self) -> Standing:
        if self.state.closed:
            return Standing(self.state.value.lower())
        if self.made or self.state is VideoState.DELIVERING:
            return Standing.SENDING
        if self.bought:
            return Standing.MAKING
        if self.queued:
            return Standing.QUEUED
        return Standing.STARTING if self.written else Standing.WRITING

    @property
    def stoppable(self) -> bool:
        return self.state is VideoState.OPEN and not self.bought


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """`words` are the product's, or the user's own prompt."""

    id: str
    template: Template
    words: str
    ordered_at: datetime
    videos: tuple[VideoFacts, ...]

    @property
    def stoppable_count(self) -> int:
        return sum(video.stoppable for video in self.videos)


@dataclass(frozen=True, slots=True)
class ShelfVideo:
    """A video that is the user's: delivered, or waiting for him."""

    id: str
    template: Template
    words: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ShelfPage:
    """Pages count from 0."""

    videos: tuple[ShelfVideo, ...]
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What a cancel stops, or would stop. Nothing stopped and nothing going on: the order is over.

    `repeated`: it was stopped before, and this is what the first answer said.
    """

    order_id: str
    stopped_video_ids: tuple[str, ...] = ()
    going_on: int = 0
    credits_back: int = 0
    repeated: bool = False
