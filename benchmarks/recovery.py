"""How long until it goes on after kill -9: `python -m benchmarks.recovery [rounds]`.

- A worker: one order per kind of call is brought to where the call is out; then its worker is killed, and
  another one takes over. From the kill to the start of the next try, as the history has it.
- The bot: killed and started again at once; a person writes meanwhile. From the kill to the answer.
- The Temporal server: killed and started again at once, while KIE ends the videos of several orders. From
  the kill to the last video in the chat, and, as the way itself takes time, to the first step of each.
All waits of ours are as in production (TIME_SCALE=1); only KIE is quick.
"""

import asyncio
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from activities import contracts
from benchmarks.machine import BusyMeter, Spread, console, facts, table_of, world_on
from local.programs import Program
from local.stack import Stack
from local.temporal import connect
from tests.deploys.system import events_of
from tests.resets.orders import Bought, Place, bought_with, confirm_card
from tests.resets.points import describe, is_called, until_called
from tests.resets.stages import (
    CREATING,
    FETCHING,
    MAKING,
    MODERATING,
    RINGING,
    SENDING,
    UPLOADING,
    WRITING,
    Late,
    Stage,
)
from tests.stories.player import plan_for, throw_away_folder
from tests.stories.seller import Seller, soon
from tests.stories.world import World

ROUNDS = 3
BOT_KILLS = 5
TEMPORAL_KILLS = 3
ORDERS = 5
WORKER_GOAL_SECONDS = 30.0
BOT_GOAL_SECONDS = 10.0
TEMPORAL_GOAL_SECONDS = 60.0
HELD_SECONDS = 300.0
PATIENCE_SECONDS = 120.0

CHECKING = Stage("checking", contracts.CHECK_KIE_TASK, Late("kie", "recordInfo"))
CALLS = (MODERATING, WRITING, UPLOADING, CREATING, CHECKING, FETCHING, SENDING, RINGING)
_STARTED = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED


async def main(rounds: int = ROUNDS) -> None:
    console.print(facts())
    meter = BusyMeter()
    with throw_away_folder() as folder:
        plan = replace(plan_for(folder / "data", TIME_SCALE="1"), worker_roles=("", ""), durable=True)
        async with world_on(plan, folder) as (stack, world):
            place = Place(await connect(stack.temporal.address), world)
            workers = await killed_workers(stack, place, rounds)
            bots = [await killed_bot(stack, world, number) for number in range(BOT_KILLS)]
            temporal = [await killed_temporal(stack, place, number) for number in range(TEMPORAL_KILLS)]
    console.print(meter.told())
    console.print(table_of(f"next try after a killed worker, goal {WORKER_GOAL_SECONDS:.0f} s", workers))
    console.print(table_of(f"bot, goal {BOT_GOAL_SECONDS:.0f} s", {"kill → answer": Spread(bots)}))
    first, last = zip(*temporal, strict=True)
    console.print(
        table_of(
            f"Temporal, goal {TEMPORAL_GOAL_SECONDS:.0f} s",
            {"kill → all go on": Spread(first), f"kill → all {ORDERS} seen": Spread(last)},
        )
    )


# -- a worker


async def killed_workers(stack: Stack, place: Place, rounds: int) -> dict[str, Spread]:
    """By kind of call; "row" waits for a lock of somebody else while it is killed."""
    seconds: dict[str, list[float]] = {}
    for number in range(rounds):
        survivor, victim = stack.workers[number % 2], stack.workers[1 - number % 2]
        for name, value in (await kill_once(stack, place, survivor, victim, number)).items():
            seconds.setdefault(name, []).append(value)
    return {name: Spread(values) for name, values in seconds.items()}


async def kill_once(
    stack: Stack, place: Place, survivor: Program, victim: Program, number: int
) -> dict[str, float]:
    """All calls are in the hands of the one; the other comes just before it is killed."""
    await survivor.stop()
    brought = await asyncio.gather(*(held(place, stage, number) for stage in CALLS))
    settling, lock = await settling_locked(stack, place, number)
    await survivor.start()
    calls = [*zip(CALLS, brought, strict=True), (_SETTLING, settling)]
    out = [(stage, bought) for stage, bought in calls if await is_out(stage, bought)]
    killed_at = datetime.now(UTC)
    await victim.kill()
    await lock.close()
    resumed = {stage.name: await next_try(bought, stage, killed_at) for stage, bought in out}
    await victim.start()
    return {name: seconds for name, seconds in resumed.items() if seconds is not None}


_SETTLING = Stage("settling (rows)", contracts.SETTLE_VIDEO)


async def is_out(stage: Stage, bought: Bought) -> bool:
    """A busy machine may have been so slow that the call was given up before the kill."""
    return await is_called(bought.place.client, workflow_of(stage, bought), stage.contract.name)


def workflow_of(stage: Stage, bought: Bought) -> str:
    return bought.order if stage.of_order else bought.videos[0]


async def held(place: Place, stage: Stage, number: int) -> Bought:
    """Longer than anybody waits for it."""
    assert stage.late is not None
    late = replace(stage.late, seconds=HELD_SECONDS)
    marker = f"kill{stage.name.title().replace(' ', '')}{number}x"
    return await replace(stage, late=late).bring(place, marker)


async def settling_locked(stack: Stack, place: Place, number: int) -> tuple[Bought, asyncpg.Connection]:
    """Somebody else holds the wallet while the video is captured."""
    marker = f"killRow{number}x"
    await place.world.kie_outcome(marker, hold=True)
    seller = await place.world.seller(marker)
    card = await confirm_card(place, seller, marker, 1, written=False)
    bought = bought_with(place, seller, marker, card)
    await seller.press("Generate", card)
    await place.world.wait_for_kie_task(marker)
    lock = await asyncpg.connect(stack.owner_database_url)
    await lock.execute("begin")
    await lock.execute(
        "select 1 from wallets join users on id = user_id where tg_user_id = $1 for update of wallets",
        seller.id,
    )
    await place.world.release_kie_task(marker)
    await until_called(place.client, bought.videos[0], contracts.SETTLE_VIDEO.name)
    return bought, lock


async def next_try(bought: Bought, stage: Stage, killed_at: datetime) -> float | None:
    """None where the call was over, after all, when its worker was killed."""
    client, workflow_id = bought.place.client, workflow_of(stage, bought)

    async def known() -> list[datetime]:
        tries = later_tries(await events_of(client, workflow_id), stage.contract.name)
        ended = await describe(client, workflow_id)
        if not tries and ended is not None and ended.status is not WorkflowExecutionStatus.RUNNING:
            return [killed_at]
        return tries

    at: datetime = (await soon(known, f"the next {stage.contract.name}", PATIENCE_SECONDS))[0]
    return (at - killed_at).total_seconds() or None


def later_tries(events: list[Any], activity: str) -> list[datetime]:
    """When each began that was not the first."""
    asked = [each.event_id for each in events if _asks_for(each, activity)]
    begun = [(each, each.activity_task_started_event_attributes) for each in events]
    return [
        moment_of(event)
        for event, start in begun
        if event.event_type == _STARTED and start.scheduled_event_id in asked and start.attempt > 1
    ]


def _asks_for(event: Any, activity: str) -> bool:
    return bool(event.activity_task_scheduled_event_attributes.activity_type.name == activity)


def moment_of(event: Any) -> datetime:
    at: datetime = event.event_time.ToDatetime(tzinfo=UTC)
    return at


# -- the bot and the server of Temporal


async def killed_bot(stack: Stack, world: World, number: int) -> float:
    seller = await world.seller(f"bot{number}")
    before = await seller.last_id()
    killed_at = time.monotonic()
    await stack.bot.kill()
    await asyncio.gather(stack.bot.start(), ask(seller))
    await seller.wait_for_text("3", after=before + 1)
    return time.monotonic() - killed_at


async def ask(seller: Seller) -> None:
    await seller.say("/balance")


async def killed_temporal(stack: Stack, place: Place, number: int) -> tuple[float, float]:
    """Until every order has gone a step on, and until every video is in its chat."""
    markers = [f"away{number}x{each}x" for each in range(ORDERS)]
    orders = await asyncio.gather(*(MAKING.bring(place, marker) for marker in markers))
    killed_at, began = datetime.now(UTC), time.monotonic()
    await stack.temporal.child.kill()
    await asyncio.gather(*(MAKING.let_go(each) for each in orders))
    await stack.temporal.start()
    for bought in orders:
        await bought.seller.wait_for_ring()
    seen = time.monotonic() - began
    steps = [await first_step_after(bought, killed_at) for bought in orders]
    return max(steps), seen


async def first_step_after(bought: Bought, moment: datetime) -> float:
    times = [
        moment_of(event)
        for event in await events_of(bought.place.client, bought.videos[0])
        if event.event_type == _STARTED
    ]
    return min((each - moment).total_seconds() for each in times if each > moment)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
