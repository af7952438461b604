"""The walks: what is reset where, and what was wrong afterwards."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import httpx
from temporalio.service import RPCError

from tests.resets.endings import ENDINGS, Ending, started_workflows
from tests.resets.orders import Bought, Fate, Place, wrong_with
from tests.resets.points import ResetPoint, points_of, reset, until_ended
from tests.resets.stages import (
    DELIVERED,
    LATE_SECONDS,
    MAKING,
    SENDING,
    UPLOADING,
    WHILE_ORDER_RUNS,
    WHILE_VIDEO_RUNS,
    Stage,
)
from tests.stories.seller import NotSeen

_CALM_SECONDS: Final = LATE_SECONDS + 1.0  # a call that was held has had its effect
_END_SECONDS: Final = (
    180.0  # an order that nobody tells of its video's end looks at the rows, later each time
)
AT_ONCE: Final = 8

CANCELLED: Final = Fate("cancelled", refunded=1)


@dataclass(frozen=True)
class Walk:
    """`go` answers with what was wrong, in words that name the reset."""

    name: str
    go: Callable[[Place, asyncio.Semaphore], Awaitable[list[str]]]


# -- what has ended


def ended(ending: Ending) -> Walk:
    name = ending.__name__.replace("_", " ")

    async def go(place: Place, together: asyncio.Semaphore) -> list[str]:
        async with together:
            bought = await ending(place, "ended" + name.title().replace(" ", ""))
            workflows = await started_workflows(bought)
            return [each for workflow_id in workflows for each in await _reset_all(bought, workflow_id)]

    return Walk(f"ended: {name}", go)


async def _reset_all(bought: Bought, workflow_id: str) -> list[str]:
    """One after the other, each time from the history of the run that really worked."""
    points = await points_of(bought.place.client, workflow_id)
    return [each for point in points for each in await _changed_by(bought, point)]


async def _changed_by(bought: Bought, point: ResetPoint, *, without_signals: bool = False) -> list[str]:
    before = await bought.records()
    await reset(bought.place.client, point, without_signals=without_signals)
    try:
        await until_ended(bought.place.client, [point.workflow_id])
    except NotSeen as stuck:
        return [f"{point}: {stuck}"]
    after = await bought.records()
    return [f"{point}: {what} changed" for what, was in before.items() if after[what] != was]


def order_without_signals(ending: Ending) -> Walk:
    """The new run is not told that its videos are closed; after a while it looks at the rows."""

    async def go(place: Place, together: asyncio.Semaphore) -> list[str]:
        async def reset_one(number: int) -> tuple[int, list[str]]:
            async with together:
                bought = await ending(place, f"deafOrder{number}x")
                await started_workflows(bought)
            points = await points_of(place.client, bought.order)
            chosen = points[number : number + 1]  # none, where two tasks of another order were one here
            changed = [await _changed_by(bought, point, without_signals=True) for point in chosen]
            return len(points), [each for found in changed for each in found]

        return await _one_order_each(reset_one)

    return Walk("ended, signals left out: order", go)


def video_without_signals(ending: Ending) -> Walk:
    """The new run is not told that KIE has called: the attempt's row says it, at the latest with a poll."""

    async def go(place: Place, together: asyncio.Semaphore) -> list[str]:
        async with together:
            bought = await ending(place, "deafVideo")
            await started_workflows(bought)
        points = await points_of(place.client, bought.videos[0])
        return [each for point in points for each in await _changed_by(bought, point, without_signals=True)]

    return Walk("ended, signals left out: video", go)


# -- what is still running


def running(stage: Stage, of: str) -> Walk:
    """One order per reset point."""

    async def go(place: Place, together: asyncio.Semaphore) -> list[str]:
        async def reset_one(number: int) -> tuple[int, list[str]]:
            async with together:
                bought = await stage.bring(place, f"{of}{stage.name.title().replace(' ', '')}{number}x")
                points = await points_of(place.client, bought.order if of == "order" else bought.videos[0])
                chosen = points[min(number, len(points) - 1)]
                await reset(place.client, chosen)
                await stage.let_go(bought)
            wrong = await _wrong_in_the_end(bought, stage.fate)
            return len(points), [f"event {chosen.event_id}: {each}" for each in wrong]

        return await _one_order_each(reset_one)

    return Walk(f"{stage.name}: {of}", go)


async def _one_order_each(reset_one: Callable[[int], Awaitable[tuple[int, list[str]]]]) -> list[str]:
    """The first order says how many points there are."""
    count, wrong = await reset_one(0)
    others = await asyncio.gather(*(reset_one(number) for number in range(1, count)))
    return wrong + [each for _, found in others for each in found]


async def _wrong_in_the_end(bought: Bought, fate: Fate) -> list[str]:
    try:
        await until_ended(bought.place.client, bought.workflows, _END_SECONDS)
    except NotSeen as stuck:
        return [str(stuck)]
    return await wrong_with(bought, fate, _CALM_SECONDS)


# -- an order or a video that somebody ends by hand


def by_hand(name: str, stage: Stage, deed: Callable[[Bought], Awaitable[None]], fate: Fate) -> Walk:
    async def go(place: Place, together: asyncio.Semaphore) -> list[str]:
        async with together:
            bought = await stage.bring(place, "hand" + f"{name} {stage.name}".title().replace(" ", ""))
            await deed(bought)
            await stage.let_go(bought)
        return await _wrong_in_the_end(bought, fate)

    return Walk(f"{name} while {stage.name}", go)


async def terminate_order(bought: Bought) -> None:
    await bought.place.client.get_workflow_handle(bought.order).terminate("walked")


async def cancel_order(bought: Bought) -> None:
    await bought.place.client.get_workflow_handle(bought.order).cancel()


async def terminate_video(bought: Bought) -> None:
    """Long ago, so that it is overdue: housekeeping settles what nobody looks after."""
    await bought.place.client.get_workflow_handle(bought.videos[0]).terminate("walked")
    await _passes(bought, timedelta(minutes=10))


async def _passes(bought: Bought, span: timedelta) -> None:
    await bought.place.world.rows(
        "update videos set deadline_at = now() - $2::interval where order_id = $1 returning id",
        bought.order_id,
        span,
    )


def all_walks() -> list[Walk]:
    refunded_late = Fate("too long", refunded=1, kie_tasks=1)
    # Housekeeping may come before Telegram's answer: then nobody knows, and it is offered once more.
    settled_while_sending = Fate("your video is", delivered=1, kie_tasks=1)
    return [
        *(ended(each) for each in ENDINGS),
        order_without_signals(ENDINGS[0]),
        video_without_signals(ENDINGS[0]),
        *(running(each, "order") for each in WHILE_ORDER_RUNS),
        *(running(each, "video") for each in WHILE_VIDEO_RUNS),
        *(
            by_hand("order terminated", each, terminate_order, DELIVERED)
            for each in (UPLOADING, MAKING, SENDING)
        ),
        by_hand("order cancelled", UPLOADING, cancel_order, CANCELLED),
        *(by_hand("order cancelled", each, cancel_order, DELIVERED) for each in (MAKING, SENDING)),
        by_hand("video terminated", MAKING, terminate_video, refunded_late),
        by_hand("video terminated", SENDING, terminate_video, settled_while_sending),
    ]


async def walk_all(place: Place) -> dict[str, list[str]]:
    together = asyncio.Semaphore(AT_ONCE)
    walks = all_walks()
    found = await asyncio.gather(*(_survey(each.go(place, together)) for each in walks))
    return dict(zip((each.name for each in walks), found, strict=True))


async def _survey(walk: Awaitable[list[str]]) -> list[str]:
    """A walk that does not come through is a finding, not the end of the others."""
    try:
        return await walk
    except (AssertionError, OSError, LookupError, RPCError, httpx.HTTPError) as error:
        return [f"{type(error).__name__}: {error}"]
