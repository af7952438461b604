"""When an order is not taken now, and when its user is written to."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NOTED_WAIT_SECONDS: Final = 600.0
"""From here on the confirm card says how long it will take; below it, whoever waits is written to."""

REFUSED_WAIT_SECONDS: Final = 1_800.0
"""From here on an order is not taken: its draft is kept."""


class WaitReason(StrEnum):
    """Why nothing can be ordered. With MODEL_RESTS the id is that of the order that failed for it."""

    BUSY = "busy"
    MAINTENANCE = "maintenance"
    MODEL_RESTS = "model_rests"


@dataclass(frozen=True, slots=True)
class WaitingDraft:
    user_id: int
    tg_user_id: int
    draft_id: str
    reason: WaitReason
