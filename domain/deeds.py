"""What an administrator does to a user's credits or money, before and after his Yes."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain import ids

CREDITS_MAX = 1_000_000
REASON_CHARS_MAX = 300


class DeedKind(StrEnum):
    GRANT = "grant"
    TAKE = "take"
    REFUND = "refund"
    FORGET = "forget"


class Deed(BaseModel):
    """A row's JSON: new fields only with defaults. `charge_id` and `forced` belong to a refund.

    `tg_user_id` 0: that person is forgotten.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: DeedKind
    tg_user_id: int
    credits: int = 0
    reason: str = ""
    charge_id: str = ""
    forced: bool = False

    @property
    def moves_credits(self) -> bool:
        return self.kind in (DeedKind.GRANT, DeedKind.TAKE)

    @property
    def available_delta(self) -> int:
        return -self.credits if self.kind is DeedKind.TAKE else self.credits

    @property
    def reference(self) -> str:
        return ids.charge_reference(self.charge_id)
