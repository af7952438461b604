"""Workers that join and leave under load, and how soon a new one serves: `python -m benchmarks.workers`.

- Twenty processes of mixed roles, at most four starting at a time; a third of those that leave are killed
  with -9, the others drain. Orders of one and three videos come all the while. Lost is what is neither in
  the chat nor refunded; twice is what was seen, paid or bought twice.
- From the start of a process whose role nobody else serves, to the end of an activity that waited for it.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from activities.contracts import TELL_INVARIANTS, Nothing, TaskQueue
from benchmarks.machine import BusyMeter, Spread, console, facts, table_of, world_on
from local.programs import Program
from local.stack import Stack
from local.temporal import connect
from tests.deploys.coming_and_going import Plan, come_and_go, wrong_with_all
from tests.resets.orders import Place
from tests.stories.player import plan_for, throw_away_folder

STARTS = 5
SERVES_GOAL_SECONDS = 5.0
MOVING_GOAL_SECONDS = 600.0
ROLES = ("orders", "prompts", "kie,kie-create", "media", "telegram")
NEW = {"telegram": ("--role", TaskQueue.TELEGRAM.value), "all roles": ()}
PLAN = Plan(workers=20, roles=ROLES, stay_seconds=20, order_every_seconds=1.5)


async def main() -> None:
    console.print(facts())
    with throw_away_folder() as folder:
        plan = replace(plan_for(folder / "data", TIME_SCALE="0.1"), worker_roles=())
        async with world_on(plan, folder) as (stack, world):
            place = Place(await connect(stack.temporal.address), world)
            spreads = {
                f"{name}: start → served": await starts(stack, place, role) for name, role in NEW.items()
            }
            console.print(table_of(f"new worker, goal {SERVES_GOAL_SECONDS:.0f} s", spreads))
            await moving(stack, place)


async def moving(stack: Stack, place: Place) -> None:
    meter, started = BusyMeter(), time.monotonic()
    passed = await come_and_go(stack, place, PLAN)
    seconds = time.monotonic() - started
    wrong = await wrong_with_all(passed.orders)
    videos = sum(bought.video_count for bought in passed.orders)
    console.print(meter.told())
    console.print(
        f"{PLAN.workers} workers joined and left in {seconds:.0f} s (goal {MOVING_GOAL_SECONDS:.0f} s), "
        f"{passed.killed} of them killed; {len(passed.orders)} orders of {videos} videos, "
        f"{len(wrong)} of them lost or twice"
    )
    for line in wrong:
        console.print(line)


async def starts(stack: Stack, place: Place, role: Sequence[str]) -> Spread:
    return Spread([await start_to_serve(stack, place, role, number) for number in range(STARTS)])


async def start_to_serve(stack: Stack, place: Place, role: Sequence[str], number: int) -> float:
    worker = Program(
        f"new-{number}",
        ["worker_main.py", *role],
        folder=stack.folder.path,
        environment=stack.environment,
    )
    served = asyncio.create_task(
        place.client.execute_activity(
            TELL_INVARIANTS.name,
            Nothing(),
            id=f"start-{uuid4().hex}",
            task_queue=TaskQueue.TELEGRAM.value,
            start_to_close_timeout=timedelta(seconds=60),
        )
    )
    await asyncio.sleep(1)
    started = time.monotonic()
    await worker.launch()
    await served
    seconds = time.monotonic() - started
    await worker.stop()
    return seconds


if __name__ == "__main__":
    asyncio.run(main())
