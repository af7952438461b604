"""What is known of a photo or a movie once it was opened, and why one is refused. Opens nothing itself."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.failures import FailureReason

PHOTO_BYTES_MAX: Final = 10 * 1024 * 1024
PHOTO_PIXELS_MAX: Final = 25_000_000
PHOTO_SIDE_PIXELS_MIN: Final = 300
MOVIE_BYTES_MAX: Final = 50_000_000


class PictureRefused(Exception):
    def __init__(self, reason: FailureReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class PreparedPhoto(NamedTuple):
    """Upright, RGB, without metadata."""

    jpeg: bytes
    width: int
    height: int


class MovieRefused(Exception):
    """`why` is for engineers; a person reads the sentence of RESULT."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class MovieFacts:
    """`index_first`: playable before it is loaded to the end."""

    width: int
    height: int
    seconds: float
    has_audio: bool
    index_first: bool
    bytes: int

    @property
    def sendable(self) -> bool:
        return self.index_first and self.has_audio
