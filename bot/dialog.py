"""What the bot remembers of one chat, and one write per step."""

from collections.abc import Mapping
from typing import Any, Final, Self

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import StorageKey
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.states import Step, step_named
from domain.orders import Brief, Photo, Template
from store.conversations import Conversations

BURST_SECONDS_MAX: Final = 2.0
CUT_PART_UNITS: Final = range(3_500, 4_097)  # Telegram's apps cut a long text just below 4,096


class Burst(BaseModel):
    """The text that came last: what follows at once may be the rest of it.

    It is, when Telegram cut the last part, or when it was sent before our answer could be seen. A quick
    answer to the next question is neither.
    """

    model_config = ConfigDict(frozen=True)

    step: str
    part_units: int
    at: float
    answer_id: int = 0
    refused: bool = False

    def goes_on(self, now: float, message_id: int) -> bool:
        if now - self.at > BURST_SECONDS_MAX:
            return False
        return self.part_units in CUT_PART_UNITS or message_id < self.answer_id


class DialogData(BaseModel):
    """A row's JSON: fields come and go with defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    photo: Photo | None = None
    pending_photo: Photo | None = None
    template: Template | None = None
    product_text: str = ""
    wishes: str = ""
    own_prompt: str = ""
    video_count: int = 0
    draft_id: str = ""
    burst: Burst | None = None
    applied_update_id: int = 0
    told_video_ids: tuple[str, ...] = ()

    @property
    def brief(self) -> Brief | None:
        if self.template is None:
            return None
        return Brief(self.template, self.product_text, self.wishes, self.own_prompt)

    def fresh(self) -> Self:
        """Only what outlives a draft."""
        return type(self)(applied_update_id=self.applied_update_id, told_video_ids=self.told_video_ids)

    def with_brief(self, brief: Brief, video_count: int) -> Self:
        return self.model_copy(
            update={
                "template": brief.template,
                "product_text": brief.product_text,
                "wishes": brief.wishes,
                "own_prompt": brief.own_prompt,
                "video_count": video_count,
            }
        )


class Dialog:
    """Every move remembers the update that caused it: a repeated one is answered, not applied again."""

    def __init__(self, storage: Conversations, key: StorageKey, update_id: int) -> None:
        self._storage = storage
        self._key = key
        self._update_id = update_id
        self.step: State | None = None
        self.data = DialogData()

    async def load(self) -> None:
        """What another version wrote and this one cannot read is an empty dialog, not an error."""
        state, data = await self._storage.read(self._key)
        try:
            self.step, self.data = step_named(state), DialogData.model_validate(data)
        except ValidationError:
            self.step, self.data = None, DialogData()

    @property
    def opened(self) -> bool:
        return self.step is not None

    @property
    def applied(self) -> bool:
        return self._update_id != 0 and self.data.applied_update_id == self._update_id

    async def move(self, step: State | None, changes: Mapping[str, Any] | None = None) -> None:
        await self._save(step, self.data.model_copy(update={**(changes or {}), **self._mark()}))

    async def restart(self, step: State, data: DialogData) -> None:
        await self._save(step, data.model_copy(update=self._mark()))

    async def keep(self, changes: Mapping[str, Any]) -> None:
        await self.move(self.step, changes)

    async def close(self) -> None:
        """Without the mark: a repeated tap is to find its order, not this."""
        await self._save(None, self.data.fresh())

    async def remember_told(self, video_ids: tuple[str, ...]) -> None:
        await self._save(self.step, self.data.model_copy(update={"told_video_ids": video_ids}))

    async def _save(self, step: State | None, data: DialogData) -> None:
        await self._storage.save(self._key, step, data.model_dump(mode="json", exclude_defaults=True))
        self.step, self.data = step, data

    def _mark(self) -> dict[str, Any]:
        return {"applied_update_id": self._update_id}

    def shows(self, draft_id: str) -> bool:
        return self.step is Step.confirm and self.data.draft_id == draft_id
