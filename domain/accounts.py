"""KIE accounts as an operator sees them. Blocks that are over are not shown; a key is only its id."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KeyStatus:
    key_id: str
    blocked_until: datetime | None
    block_reason: str


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """The balance is what the last probe read, in KIE credits."""

    account: str
    serves: bool
    in_flight: int
    creates_in_window: int
    blocked_until: datetime | None
    block_reason: str
    keys: tuple[KeyStatus, ...]
    balance_kie_credits: float | None = None
    balance_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ModelMark:
    video_model: str
    unavailable_until: datetime
    reason: str
