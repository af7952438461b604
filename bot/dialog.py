"""What the bot remembers of one chat, and one write per step."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import StorageKey
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.states import Step, step_named
from domain.orders import AS_IT_COMES, Brief, Photo, Template, VideoOptions
from store.conversations import Conversations
from store.drafts import NO_MESSAGES, BriefMessages

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
    message_id: int = 0

    def goes_on(self, now: float, message_id: int) -> bool:
        if now - self.at > BURST_SECONDS_MAX:
            return False
        return self.part_units in CUT_PART_UNITS or message_id < self.answer_id


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo as somebody sent it: one that can be used, and what he wrote under it."""

    photo: Photo
    message_id: int = 0
    caption: str = ""


@dataclass(frozen=True, slots=True)
class OtherProduct:
    """A further photo of an album of products. `product_text` None: as the first one's."""

    photo: Photo
    product_text: str | None = None
    message_id: int | None = None


class Part(StrEnum):
    """What can be changed on a confirm card."""

    PHOTO = "photo"
    STYLE = "style"
    PRODUCT = "product"
    WISHES = "wishes"
    PROMPT = "prompt"
    COUNT = "count"
    FORMAT = "format"
    SECONDS = "seconds"
    BACK = "back"  # nothing, after all


class Change(BaseModel):
    """The draft that shall be different, and the part that is asked for.

    `template` waits for its text. `resumes` is where the dialog stood: it goes on there.
    """

    model_config = ConfigDict(frozen=True)

    draft_id: str
    part: Part
    resumes: str = ""
    template: Template | None = None
    options: VideoOptions = AS_IT_COMES


class DialogData(BaseModel):
    """A row's JSON: fields come and go with defaults.

    `pending` are photos nobody has said the purpose of. `other_products` and `other_draft_ids`: an album of
    several products is asked about once, and has a card each.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    photo: Photo | None = None
    views: tuple[Photo, ...] = ()
    other_products: tuple[OtherProduct, ...] = ()
    pending: tuple[Shot, ...] = ()
    template: Template | None = None
    product_text: str = ""
    wishes: str = ""
    own_prompt: str = ""
    messages: BriefMessages = NO_MESSAGES
    video_count: int = 0
    options: VideoOptions = AS_IT_COMES
    draft_id: str = ""
    other_draft_ids: tuple[str, ...] = ()
    change: Change | None = None
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

    def with_brief(self, brief: Brief, video_count: int, options: VideoOptions = AS_IT_COMES) -> Self:
        return self.model_copy(
            update={
                "template": brief.template,
                "product_text": brief.product_text,
                "wishes": brief.wishes,
                "own_prompt": brief.own_prompt,
                "video_count": video_count,
                "options": options,
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

    @property
    def draft_ids(self) -> tuple[str, ...]:
        """The drafts this step is about; none before there is a confirm card."""
        if self.step is Step.change and self.data.change is not None:
            return (self.data.change.draft_id,)
        return self.confirmed_ids if self.step is Step.confirm else ()

    @property
    def changed_part(self) -> Part | None:
        return self.data.change.part if self.step is Step.change and self.data.change else None

    @property
    def resumed(self) -> State | None:
        """Where the dialog goes on when the change is made."""
        change = self.data.change
        return step_named(change.resumes) if self.step is Step.change and change else self.step

    async def leave(self, draft_id: str, *, marked: bool = False) -> None:
        """This draft is bought or dropped: what else is open stays open.

        Without the mark as in `close`, unless doing it again would leave the next one, too.
        """
        changed = self.step is Step.change and draft_id in self.draft_ids
        if not changed and draft_id not in self.confirmed_ids:
            return
        step = self.resumed if changed else self.step
        left = tuple(each for each in self.confirmed_ids if each != draft_id)
        if step is None or (step is Step.confirm and not left):
            await self.close()
            return
        changes: dict[str, Any] = {"draft_id": left[0] if left else "", "other_draft_ids": left[1:]}
        changes |= {"change": None if changed else self.data.change, **(self._mark() if marked else {})}
        await self._save(step, self.data.model_copy(update=changes))

    async def take_over(self, draft_id: str, new_ids: tuple[str, ...]) -> None:
        """Cards in the place of another one. A dialog half-way through goes on at its own question."""
        step = self.resumed
        if step not in (None, Step.confirm):
            await self.move(step, {"change": None, "burst": None})
            return
        open_ids = self.confirmed_ids if draft_id in self.confirmed_ids else ()
        ids = (*new_ids, *(each for each in open_ids if each != draft_id))
        changes = {"draft_id": ids[0], "other_draft_ids": ids[1:]}
        await self.restart(Step.confirm, self.data.fresh().model_copy(update=changes))

    @property
    def confirmed_ids(self) -> tuple[str, ...]:
        """The open cards of this dialog, while one of them is changed too."""
        ids = (self.data.draft_id, *self.data.other_draft_ids) if self.resumed is Step.confirm else ()
        return tuple(each for each in ids if each)
