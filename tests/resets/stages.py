"""Orders brought to a stage and held there: a stand-in answers late, or KIE does not end its task."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from activities import contracts
from activities.contracts import ActivityContract
from tests.resets.orders import Bought, Fate, Place, bought_with, confirm_card
from tests.resets.points import until_called
from tests.stories.seller import Message, soon

LATE_SECONDS: Final = 7.0  # long enough to be looked at, far from the 15 s after which a call is tried again
_CALL_SECONDS: Final = 0.3  # from the start of an activity to its call
FORBIDDEN: Final = "We currently do not support uploads of images containing photorealistic people."

DELIVERED: Final = Fate("ready", delivered=1, kie_tasks=1)
REFUSED: Final = Fate("person", refunded=1, kie_tasks=1)


@dataclass(frozen=True)
class Late:
    """One call of a stand-in (`openai`, `kie`, `telegram`) that takes its time before or after its effect."""

    service: str
    where: str
    kind: str = "delay"
    seconds: float = LATE_SECONDS

    async def order_for(self, bought: Bought) -> None:
        world, late = bought.place.world, {"kind": self.kind, "delay_seconds": self.seconds}
        if self.service == "openai":
            await world.openai_fault(self.where, bought.marker, **late)
        elif self.service == "kie":
            match = bought.order_id if self.where == "upload" else bought.marker
            await world.kie_fault(self.where, match, **late)
        else:
            await world.telegram_fault(self.where, bought.seller, **late)


@dataclass(frozen=True)
class Stage:
    """`contract` is the activity whose call is out while the order is reset."""

    name: str
    contract: ActivityContract[Any, Any]
    late: Late | None = None
    of_order: bool = False
    refused: bool = False
    written: bool = False

    @property
    def fate(self) -> Fate:
        return REFUSED if self.refused else DELIVERED

    async def bring(self, place: Place, marker: str) -> Bought:
        seller = await place.world.seller(marker)
        card = await confirm_card(place, seller, marker, 1, written=self.written)
        bought = bought_with(place, seller, marker, card)
        if self.late is None or self.late.service == "telegram":
            await self._tap_and_wait_for_kie(bought, card)
        else:
            await self.late.order_for(bought)
            await seller.press("Generate", card)
        if self.late is not None:
            workflow_id = bought.order if self.of_order else bought.videos[0]
            await until_called(place.client, workflow_id, self.contract.name)
            await asyncio.sleep(_CALL_SECONDS)
        return bought

    async def _tap_and_wait_for_kie(self, bought: Bought, card: Message) -> None:
        """Telegram is late from then on only, so that no earlier message meets the fault."""
        world = bought.place.world
        fails = {"fail_code": "400", "fail_msg": FORBIDDEN} if self.refused else {}
        await world.kie_outcome(bought.marker, hold=True, times=-1, **fails)
        await bought.seller.press("Generate", card)
        await world.wait_for_kie_task(bought.marker)
        await soon(lambda: self._shows_making(bought), f"making of {bought.order}")
        if self.late is not None:
            await self.late.order_for(bought)
            await world.release_kie_task(bought.marker)

    async def _shows_making(self, bought: Bought) -> bool:
        rows = await bought.place.world.rows(
            "select 1 from attempts where video_id like $1 || '%' and state = 'ACCEPTED'", bought.order_id
        )
        return bool(rows)

    async def let_go(self, bought: Bought) -> None:
        if self.late is None:
            await bought.place.world.release_kie_task(bought.marker)


MODERATING = Stage("moderating", contracts.MODERATE_BRIEF, Late("openai", "moderations"), of_order=True)
WRITING = Stage("writing", contracts.WRITE_SCRIPTS, Late("openai", "responses"), of_order=True, written=True)
UPLOADING = Stage("uploading", contracts.UPLOAD_PHOTO, Late("kie", "upload"))
CREATING = Stage("creating", contracts.CREATE_KIE_TASK, Late("kie", "createTask", "delay_answer"))
MAKING = Stage("making", contracts.CHECK_KIE_TASK)
FETCHING = Stage("fetching", contracts.FETCH_RESULT, Late("kie", "result"))
SENDING = Stage("sending", contracts.SEND_VIDEO, Late("telegram", "editMessageMedia", "delay_answer"))
SENDING_LATE = Stage("sending late", contracts.SEND_VIDEO, Late("telegram", "editMessageMedia"))
RINGING = Stage("ringing", contracts.RING, Late("telegram", "sendMessage"))
TELLING = Stage("telling", contracts.TELL_FAILURE, Late("telegram", "sendMessage"), refused=True)

WHILE_VIDEO_RUNS = (
    UPLOADING, CREATING, MAKING, FETCHING, SENDING, SENDING_LATE, RINGING, TELLING,
)  # fmt: skip
WHILE_ORDER_RUNS = (MODERATING, WRITING, UPLOADING, MAKING, SENDING)
