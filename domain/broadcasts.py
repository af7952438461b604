"""One message to everybody: what it may say, how far it is, and what became of each sending."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.orders import Language

TEXT_UNITS_MAX: Final = 4_096
"""Telegram counts UTF-16: an emoji takes two."""


class BroadcastState(StrEnum):
    RUNNING = "RUNNING"
    CANCELLED = "CANCELLED"
    DONE = "DONE"


class Sending(StrEnum):
    """What became of the message to one user."""

    SENT = "SENT"
    BLOCKED = "BLOCKED"  # the user has blocked the bot
    FAILED = "FAILED"  # Telegram refused it
    UNKNOWN = "UNKNOWN"  # no answer came: never sent again


@dataclass(frozen=True, slots=True)
class Broadcast:
    """`left`: whom it has not come to; who blocked the bot or was forgotten meanwhile stays among them."""

    id: str
    state: BroadcastState
    texts: Mapping[Language, str]
    created_at: datetime
    ended_at: datetime | None
    users_total: int
    sent: int
    blocked: int
    failed: int
    unknown: int

    @property
    def left(self) -> int:
        return max(0, self.users_total - self.sent - self.blocked - self.failed - self.unknown)


@dataclass(frozen=True, slots=True)
class Recipient:
    user_id: int
    tg_user_id: int
    language: Language


def text_problem(text: str) -> str:
    """Why Telegram would not take it; nothing where it does."""
    if not text.strip():
        return "is empty"
    units = len(text.strip().encode("utf-16-le", errors="replace")) // 2
    if units > TEXT_UNITS_MAX:
        return f"is {units:,} characters as Telegram counts them, and may be {TEXT_UNITS_MAX:,}"
    unprintable = sorted({f"U+{ord(each):04X}" for each in text if each in _NOT_STORED})
    return f"holds {', '.join(unprintable)}, which is no text" if unprintable else ""


_NOT_STORED: Final = frozenset("\x00") | {chr(code) for code in range(0xD800, 0xE000)}
