"""An order whose videos were all closed while it was being prepared."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from activities import contracts
from activities.contracts import ActivityContract, CancelResult, OrderProgress
from activities.failing import already_settled, for_now
from domain.failures import Failure, FailureClass
from tests.workflows.scripted import Script

PREPARING = (contracts.FETCH_PHOTO, contracts.MODERATE_BRIEF, contracts.WRITE_SCRIPTS)


@pytest.mark.parametrize("step", PREPARING, ids=lambda step: step.name)
async def test_the_step_that_finds_it_closed_is_the_last_one(
    script: Script, step: ActivityContract[Any, Any]
) -> None:
    script.will(step, already_settled())
    script.will(contracts.CLOSE_ORDER, OrderProgress(cancelled=3))
    result = await (await script.start_order(video_count=3)).result()
    assert (result.outcome, result.cancelled) == ("cancelled", 3)
    assert script.count(step) == 1, "it is not tried again"
    asked = [each.name for each in PREPARING]
    later = asked[asked.index(step.name) + 1 :]
    assert not set(later) & set(script.names())
    assert script.count(contracts.OPEN_VIDEO) == script.count(contracts.RELEASE_ORDER) == 0
    assert script.count(contracts.SEND_CLOSING_CARD) == 1


@pytest.mark.parametrize("step", PREPARING, ids=lambda step: step.name)
async def test_a_cancelled_order_of_one_is_told_once(
    script: Script, step: ActivityContract[Any, Any]
) -> None:
    """The cancel comes between two tries, and the second one finds it."""
    with script.env.auto_time_skipping_disabled():
        failed_for_now = for_now(Failure(FailureClass.TEMPORARY), timedelta(seconds=15))
        script.will(step, failed_for_now, already_settled())
        script.will(contracts.CANCEL_ORDER, CancelResult(cancelled_video_ids=(f"{script.order_id}-v1",)))
        handle = await script.start_order()
        await script.called(step)
        await handle.cancel()
        result = await asyncio.wait_for(handle.result(), 60)
    assert result.outcome == "cancelled"
    assert script.count(step) == 2
    assert script.count(contracts.OPEN_VIDEO) == 0
    assert script.count(contracts.TELL_CANCELLED) == 1
