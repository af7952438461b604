"""Orders that have ended, one per kind of ending: whatever is reset of them, nothing may happen again."""

from collections.abc import Awaitable, Callable
from typing import Final

from activities import contracts
from tests.resets.orders import Bought, Place, bought_with, confirm_card
from tests.resets.points import until_called, until_ended
from tests.resets.stages import FORBIDDEN, LATE_SECONDS

_TWO_TAPS_SECONDS: Final = 13.0  # a call that takes 15 s is tried again

Ending = Callable[[Place, str], Awaitable[Bought]]


async def ordered(place: Place, marker: str, count: int = 1, *, written: bool = False) -> Bought:
    """All but the tap."""
    seller = await place.world.seller(marker)
    card = await confirm_card(place, seller, marker, count, written=written)
    return bought_with(place, seller, marker, card, count)


async def tap(bought: Bought) -> Bought:
    await bought.seller.press("Generate", await bought.seller.wait_for_button("Generate"))
    return bought


async def delivered(place: Place, marker: str) -> Bought:
    bought = await tap(await ordered(place, marker, written=True))
    await bought.seller.wait_for_ring()
    return bought


async def refused_by_kie(place: Place, marker: str) -> Bought:
    await place.world.kie_outcome(marker, fail_code="400", fail_msg=FORBIDDEN)
    bought = await tap(await ordered(place, marker))
    await bought.seller.wait_for_button("Another photo")
    return bought


async def failed_three_times(place: Place, marker: str) -> Bought:
    await place.world.kie_outcome(marker, times=3, fail_code="500", fail_msg="Internal Error")
    bought = await tap(await ordered(place, marker))
    await bought.seller.wait_for_button("Try again")
    return bought


async def refused_before_it_was_bought(place: Place, marker: str, count: int = 1) -> Bought:
    ruling = {"match": marker, "fields": {"photo_status": "no_product"}}
    (await place.world.openai.post("/control/rulings", json=ruling)).raise_for_status()
    bought = await tap(await ordered(place, marker, count, written=True))
    await bought.seller.wait_for_button("Another photo")
    return bought


async def three_refused_before_they_were_bought(place: Place, marker: str) -> Bought:
    return await refused_before_it_was_bought(place, marker, count=3)


async def cancelled_by_its_user(place: Place, marker: str) -> Bought:
    """Two buttons, one after the other; what the last one shows may come after the order has ended."""
    await place.world.openai_fault("moderations", marker, kind="delay", delay_seconds=_TWO_TAPS_SECONDS)
    bought = await tap(await ordered(place, marker))
    await bought.seller.press("Cancel the order")
    await bought.seller.press("Yes, cancel")
    await bought.seller.wait_for_text("Stopped:", "Back on your balance")
    return bought


async def cancelled_from_outside(place: Place, marker: str) -> Bought:
    await place.world.openai_fault("moderations", marker, kind="delay", delay_seconds=LATE_SECONDS)
    bought = await tap(await ordered(place, marker))
    await until_called(place.client, bought.order, contracts.MODERATE_BRIEF.name)
    await place.client.get_workflow_handle(bought.order).cancel()
    return bought


async def video_cancelled_from_outside(place: Place, marker: str) -> Bought:
    bought = await ordered(place, marker)
    await place.world.kie_fault("upload", bought.order_id, kind="delay", delay_seconds=LATE_SECONDS)
    await tap(bought)
    await until_called(place.client, bought.videos[0], contracts.UPLOAD_PHOTO.name)
    await place.client.get_workflow_handle(bought.videos[0]).cancel()
    return bought


async def cancelled_too_late(place: Place, marker: str) -> Bought:
    await place.world.kie_outcome(marker, hold=True)
    bought = await tap(await ordered(place, marker))
    await place.world.wait_for_kie_task(marker)
    await place.client.get_workflow_handle(bought.order).cancel()
    await place.client.get_workflow_handle(bought.videos[0]).cancel()
    await place.world.release_kie_task(marker)
    await bought.seller.wait_for_ring()
    return bought


async def waiting_for_its_user(place: Place, marker: str) -> Bought:
    await place.world.kie_outcome(marker, hold=True)
    bought = await tap(await ordered(place, marker))
    await place.world.wait_for_kie_task(marker)
    await bought.seller.block()
    await place.world.release_kie_task(marker)
    return bought


async def three_and_one_of_them_failed(place: Place, marker: str) -> Bought:
    await place.world.kie_outcome(marker, times=1, fail_code="400", fail_msg=FORBIDDEN)
    bought = await tap(await ordered(place, marker, count=3))
    await bought.seller.wait_for_videos(2)
    return bought


async def adopted(place: Place, marker: str) -> Bought:
    await place.world.kie_fault("createTask", marker, kind="drop_answer")
    bought = await tap(await ordered(place, marker))
    await bought.seller.wait_for_ring()
    return bought


ENDINGS: Final[tuple[Ending, ...]] = (
    delivered,
    refused_by_kie,
    failed_three_times,
    refused_before_it_was_bought,
    three_refused_before_they_were_bought,
    cancelled_by_its_user,
    cancelled_from_outside,
    video_cancelled_from_outside,
    cancelled_too_late,
    waiting_for_its_user,
    three_and_one_of_them_failed,
    adopted,
)


async def started_workflows(bought: Bought) -> list[str]:
    """Ended, all of them. An order that ended before anything was bought has no videos' workflows."""
    await until_ended(bought.place.client, [bought.order])
    opened = await bought.place.world.rows(
        "select number from videos where order_id = $1 and opened_at is not null", bought.order_id
    )
    started = [bought.order, *(bought.videos[row["number"] - 1] for row in opened)]
    await until_ended(bought.place.client, started)
    return started
