"""What an order's workflow decides."""

import asyncio

from activities import contracts
from activities.contracts import CancelResult, OrderProgress, ReservationResult, SettleResult
from activities.failing import already_settled, final
from domain import ids
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import VideoState
from tests.workflows.scripted import Script


async def test_several_videos_end_with_one_closing_card(script: Script) -> None:
    script.will(contracts.CLOSE_ORDER, OrderProgress(delivered=3))
    result = await (await script.start_order(video_count=3)).result()
    assert (result.outcome, result.delivered) == ("completed", 3)
    assert script.count(contracts.SEND_CLOSING_CARD) == 1
    assert script.count(contracts.RING) == 3 or script.settled is not None


async def test_a_single_video_needs_no_closing_card(script: Script) -> None:
    await (await script.start_order()).result()
    assert script.count(contracts.SEND_CLOSING_CARD) == 0


async def test_without_a_reservation_nothing_happens(script: Script) -> None:
    script.will(contracts.RESERVE_CREDITS, ReservationResult(reserved=False))
    result = await (await script.start_order()).result()
    assert result.outcome == "not_reserved"
    assert script.names() == ["reserve_credits", "release_order"]


async def test_a_photo_without_a_product_buys_nothing(script: Script) -> None:
    failure = Failure(FailureClass.USER_VIOLATION, FailureReason.NO_PRODUCT)
    script.will(contracts.WRITE_SCRIPTS, final(failure))
    result = await (await script.start_order(video_count=3)).result()
    assert result.outcome == "USER_VIOLATION"
    assert script.count(contracts.OPEN_VIDEO) == 0
    (release,) = script.requests(contracts.RELEASE_ORDER)
    assert release.reason is FailureReason.NO_PRODUCT
    assert script.count(contracts.TELL_ORDER_FAILURE) == 1


async def test_a_long_wait_is_told_after_five_ten_and_twenty_minutes(script: Script) -> None:
    script.polls_until_success = 45
    await (await script.start_order()).result()
    steps = [request.step for request in script.requests(contracts.TELL_LONG_WAIT)]
    assert steps == [1, 2, 3]


async def test_rows_that_are_closed_end_an_order_whose_video_never_signalled(script: Script) -> None:
    script.polls_until_success = 10_000
    script.will(contracts.TELL_LONG_WAIT, OrderProgress(failed=1))
    script.will(contracts.CLOSE_ORDER, OrderProgress(failed=1))
    result = await (await script.start_order()).result()
    assert (result.outcome, result.failed) == ("completed", 1)


async def test_cancelling_an_order_cancels_what_is_not_bought(script: Script) -> None:
    with script.env.auto_time_skipping_disabled():
        handle = await script.start_order(video_count=3)
        await script.called(contracts.OPEN_VIDEO)
        order_id = handle.id.removeprefix("order-")
        cancelled = tuple(ids.video_id(order_id, number) for number in (1, 2, 3))
        script.will(contracts.CANCEL_ORDER, CancelResult(cancelled_video_ids=cancelled))
        script.will(contracts.CLOSE_ORDER, OrderProgress(cancelled=3))
        script.will(contracts.CHECK_KIE_TASK, *[already_settled()] * 3)
        script.settled = SettleResult(captured=False, state=VideoState.CANCELLED, won=True)
        await handle.cancel()
        result = await asyncio.wait_for(handle.result(), 60)
    assert result.cancelled == 3


async def test_a_cancelled_order_of_one_is_told(script: Script) -> None:
    script.pauses[contracts.FETCH_PHOTO.name] = asyncio.Event()
    handle = await script.start_order()
    await script.called(contracts.FETCH_PHOTO)
    script.will(contracts.CANCEL_ORDER, CancelResult(cancelled_video_ids=(f"{script.order_id}-v1",)))
    await handle.cancel()
    await script.called(contracts.CANCEL_ORDER)
    script.pauses[contracts.FETCH_PHOTO.name].set()
    assert (await handle.result()).outcome == "cancelled"
    assert script.count(contracts.WRITE_SCRIPTS) == script.count(contracts.OPEN_VIDEO) == 0
    assert script.count(contracts.TELL_CANCELLED) == 1
