"""From an update to its answer, through the webhook: `python -m benchmarks.webhook [bots]`.

1,000 people press Start within a minute, evenly; then 200 others within five seconds. Each is new to the
bot: a row, welcome credits, a dialog, a menu. Times are from the moment of the tap to the bot's call of
sendMessage, as the stand-in for Telegram receives it.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from benchmarks.machine import BusyMeter, Spread, console, facts, table_of, world_on
from domain.clock import utc_now
from tests.stories.player import plan_for, throw_away_folder
from tests.stories.seller import soon
from tests.stories.world import World

STEADY, STEADY_SECONDS, STEADY_GOAL_SECONDS = 1_000, 60.0, 0.5
BURST, BURST_SECONDS, BURST_GOAL_SECONDS = 200, 5.0, 2.0
FIRST_ID = 5_000_000


async def main(bots: int = 1) -> None:
    console.print(facts())
    with throw_away_folder() as folder:
        plan = replace(plan_for(folder / "data"), webhook=True, bot_count=bots, worker_roles=(), durable=True)
        async with world_on(plan, folder) as (_, world):
            warm, steady, burst = await people(world, [10, STEADY, BURST])
            await starts(world, warm, 1.0)
            meter = BusyMeter()
            evenly = Spread(await starts(world, steady, STEADY_SECONDS))
            busy = [meter.told()]
            meter = BusyMeter()
            at_once = Spread(await starts(world, burst, BURST_SECONDS))
            busy.append(meter.told())
    console.print(table_of(f"{bots} bot(s); {', '.join(busy)}", {"in a minute": evenly, "in 5 s": at_once}))
    told("in a minute", evenly, STEADY_GOAL_SECONDS)
    told("in 5 s", at_once, BURST_GOAL_SECONDS)


def told(name: str, spread: Spread, goal_seconds: float) -> None:
    median, p99 = spread.percentile(50), spread.percentile(99)
    console.print(
        f"{name}: p50 {median * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, goal {goal_seconds * 1000:.0f} ms"
    )


async def people(world: World, counts: Sequence[int]) -> list[list[int]]:
    """Known to Telegram, not yet to the bot."""
    groups, next_id = [], FIRST_ID
    for count in counts:
        group = list(range(next_id, next_id + count))
        for number in group:
            await world.telegram.post("/control/users", json={"id": number, "first_name": f"P{number}"})
        groups.append(group)
        next_id += count
    return groups


async def starts(world: World, users: Sequence[int], seconds: float) -> list[float]:
    """Seconds from each Start to its answer; every one is answered."""
    pause_seconds = seconds / len(users)
    pressed: dict[str, datetime] = {}

    async def press(number: int, user: int) -> None:
        await asyncio.sleep(number * pause_seconds)
        pressed[str(user)] = utc_now()
        answer = await world.telegram.post(f"/control/users/{user}/text", json={"text": "/start"})
        answer.raise_for_status()

    await asyncio.gather(*(press(number, user) for number, user in enumerate(users)))
    answered = await soon(lambda: answers(world, pressed), f"{len(users)} answers")
    return [(answered[user] - at).total_seconds() for user, at in pressed.items()]


async def answers(world: World, pressed: dict[str, datetime]) -> dict[str, datetime]:
    """When each was first written to; nothing while one is missing."""
    journal: dict[str, Any] = (
        await world.telegram.get("/control/journal", params={"where": "sendMessage"})
    ).json()
    found: dict[str, datetime] = {}
    for entry in journal["entries"]:
        if entry["user"] in pressed:
            found.setdefault(entry["user"], datetime.fromisoformat(entry["at"]))
    return found if len(found) == len(pressed) else {}


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
