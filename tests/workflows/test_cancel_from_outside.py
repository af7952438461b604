"""A cancel that the bot committed: the workflows are woken, and find their rows closed."""

import asyncio
from functools import partial

import pytest
from temporalio.client import Client

from activities import contracts
from activities.contracts import AdmissionAnswer, NextStep, OrderProgress, SettleResult, VideoFacts
from activities.failing import already_settled
from domain import ids
from domain.orders import Brief, Template, VideoState
from domain.policy import OrderPolicy
from tests.workflows.scripted import Script, told
from workflows.start import TemporalUnavailable, WorkflowStarter

SOON_SECONDS = 60  # far below the 120 s after which a queued video would have looked by itself


class NoOrders:
    """Signals need no rows."""

    tg_user_id = 7
    video_count = 1
    brief = Brief(Template.OWN)

    async def read(self, order_id: str) -> "NoOrders":
        raise AssertionError(order_id)


def starter(client: Client) -> WorkflowStarter:
    return WorkflowStarter(client, NoOrders(), OrderPolicy())


def videos(script: Script, count: int) -> list[str]:
    return [ids.video_id(script.order_id, number) for number in range(1, count + 1)]


def rows_are_cancelled(script: Script) -> None:
    script.settled = SettleResult(captured=False, state=VideoState.CANCELLED, won=True)


async def test_an_order_without_videos_yet_ends_and_says_so_once(script: Script) -> None:
    script.pauses[contracts.FETCH_PHOTO.name] = asyncio.Event()
    handle = await script.start_order()
    await script.called(contracts.FETCH_PHOTO)
    tell = starter(script.env.client).videos_cancelled
    await told(partial(tell, script.order_id, videos(script, 1)))
    script.pauses[contracts.FETCH_PHOTO.name].set()
    assert (await handle.result()).outcome == "cancelled"
    assert script.count(contracts.WRITE_SCRIPTS) == script.count(contracts.OPEN_VIDEO) == 0
    assert script.count(contracts.TELL_CANCELLED) == 1
    assert script.count(contracts.CANCEL_ORDER) == 0


async def test_videos_in_the_queue_are_woken_and_one_closing_card_is_sent(script: Script) -> None:
    queued = [AdmissionAnswer(place=number) for number in (1, 2, 3)]
    script.will(contracts.ADMIT_VIDEO, *queued, *[already_settled()] * 3)
    script.will(contracts.CLOSE_ORDER, OrderProgress(cancelled=3))
    with script.env.auto_time_skipping_disabled():
        handle = await script.start_order(video_count=3)
        while script.count(contracts.ADMIT_VIDEO) < 3:  # noqa: ASYNC110 - a real worker calls it
            await asyncio.sleep(0.02)
        rows_are_cancelled(script)
        tell = starter(script.env.client).videos_cancelled
        await told(partial(tell, script.order_id, videos(script, 3)))
        result = await asyncio.wait_for(handle.result(), SOON_SECONDS)
    assert (result.outcome, result.cancelled) == ("cancelled", 3)
    assert script.count(contracts.SEND_CLOSING_CARD) == 1
    assert script.count(contracts.TELL_CANCELLED) == script.count(contracts.CREATE_KIE_TASK) == 0


async def test_one_of_two_is_stopped_and_the_order_waits_for_the_other(script: Script) -> None:
    _, second = videos(script, 2)
    facts = VideoFacts(next_step=NextStep.CREATE, seconds_to_deadline=3_600)
    script.will(contracts.OPEN_VIDEO, facts, already_settled())
    script.will(contracts.CLOSE_ORDER, OrderProgress(delivered=1, cancelled=1))
    script.pauses[contracts.OPEN_VIDEO.name] = asyncio.Event()
    handle = await script.start_order(video_count=2)
    await script.called(contracts.OPEN_VIDEO)
    await told(partial(starter(script.env.client).videos_cancelled, script.order_id, [second]))
    script.pauses[contracts.OPEN_VIDEO.name].set()
    result = await handle.result()
    assert (result.delivered, result.cancelled) == (1, 1)
    names = script.names()
    assert names.index("send_video") < names.index("close_order") < names.index("send_closing_card")


async def test_a_video_that_is_bought_meanwhile_is_not_harmed_by_being_woken(script: Script) -> None:
    """Its rows are open: it looks, and goes on."""
    with script.env.auto_time_skipping_disabled():
        handle = await script.start_order()
        await script.called(contracts.CREATE_KIE_TASK)
        video = script.env.client.get_workflow_handle(ids.video_workflow_id(videos(script, 1)[0]))
        await video.signal("settled")
    assert (await handle.result()).outcome == "completed"
    assert script.count(contracts.SEND_VIDEO) == 1


async def test_workflows_that_are_not_there_need_no_waking(script: Script) -> None:
    await starter(script.env.client).videos_cancelled(script.order_id, videos(script, 2))


async def test_temporal_away_is_said(script: Script) -> None:
    nowhere = await Client.connect("127.0.0.1:9", lazy=True)
    with pytest.raises(TemporalUnavailable):
        await starter(nowhere).videos_cancelled(script.order_id, videos(script, 1))


async def test_what_an_operator_refunds_while_kie_makes_it_is_asked_about_once_more(script: Script) -> None:
    """The rows are FAILED already; the wait for KIE ends with the signal, not with KIE."""
    script.polls_until_success = 1_000
    with script.env.auto_time_skipping_disabled():
        handle = await script.start_order()
        await script.called(contracts.CREATE_KIE_TASK)
        script.settled = SettleResult(captured=False, state=VideoState.FAILED, won=True)
        script.will(contracts.CHECK_KIE_TASK, already_settled())
        tell = starter(script.env.client).videos_closed
        await told(partial(tell, script.order_id, videos(script, 1), VideoState.FAILED))
        result = await asyncio.wait_for(handle.result(), SOON_SECONDS)
    assert (result.outcome, result.failed) == ("completed", 1)
    assert script.count(contracts.CHECK_KIE_TASK) == 1
    assert script.count(contracts.ABANDON_ATTEMPT) == script.count(contracts.TELL_FAILURE) == 0
