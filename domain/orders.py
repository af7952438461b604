"""The words of an order: brief, states, limits."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

VIDEO_COUNTS: Final = (1, 3, 5)
BRIEF_TEXT_CHARS_MAX: Final = 1_500


class Language(StrEnum):
    RU = "ru"
    EN = "en"


_READ_RUSSIAN: Final = frozenset({"ru", "be", "uk", "kk", "uz", "ky"})


def language_of(choice: str | None, telegram_code: str | None) -> Language:
    """The user's choice, else what Telegram says; none at all means Russian."""
    if choice is not None:
        return Language(choice)
    code = (telegram_code or "ru").split("-")[0].lower()
    return Language.RU if code in _READ_RUSSIAN else Language.EN


class Template(StrEnum):
    UGC = "ugc"
    AD = "ad"
    OWN = "own"


class Origin(StrEnum):
    """Which kind of card made the draft."""

    DIALOG = "dialog"
    RETRY = "retry"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as Telegram knows it. `card_file_id` is empty until it was shown once as a photo."""

    file_id: str
    unique_id: str
    card_file_id: str = ""


@dataclass(frozen=True, slots=True)
class Brief:
    """What the user told us. Lives in rows, never in a payload."""

    template: Template
    product_text: str = ""
    wishes: str = ""
    own_prompt: str = ""


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """What the user chose of the form. '' and 0: as the photo and the video model have it."""

    aspect_ratio: str = ""
    seconds: int = 0


AS_IT_COMES: Final = VideoOptions()


class OrderState(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class VideoState(StrEnum):
    OPEN = "OPEN"
    DELIVERING = "DELIVERING"
    DELIVERED = "DELIVERED"
    WAITING = "WAITING"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def closed(self) -> bool:
        return self not in {VideoState.OPEN, VideoState.DELIVERING}

    @property
    def captured(self) -> bool:
        return self in {VideoState.DELIVERED, VideoState.WAITING}


class AttemptState(StrEnum):
    INTENT = "INTENT"
    SENDING = "SENDING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"
    AMBIGUOUS = "AMBIGUOUS"


class MessagePurpose(StrEnum):
    """Why we sent a message that must not be doubled."""

    PLACEHOLDER = "placeholder"
    DELIVERY = "delivery"
    READY = "ready"
    FAILURE = "failure"
    CLOSING = "closing"
    LONG_WAIT = "long_wait"
    WAITING_NOTICE = "waiting_notice"


class MessageState(StrEnum):
    SENDING = "SENDING"
    SENT = "SENT"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
