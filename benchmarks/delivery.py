"""From KIE's finished task to the video in the chat: `python -m benchmarks.delivery [videos]`.

Callbacks are on and times are real ones, so the first poll comes after minutes: callbacks are measured.
Both ends are the stand-ins' own times.
"""

import asyncio
import sys
from datetime import datetime

from benchmarks.machine import BusyMeter, Spread, console, facts, table_of, world_on
from tests.stories.player import plan_for, throw_away_folder
from tests.stories.seller import Seller
from tests.stories.world import World

GOAL_P95_SECONDS = 3.0
VIDEOS = 40
PAUSE_SECONDS = 1.0  # 3,600 orders an hour: far above an evening's peak


async def main(videos: int = VIDEOS) -> None:
    console.print(facts())
    with throw_away_folder() as folder:
        async with world_on(plan_for(folder / "data", TIME_SCALE="1"), folder) as (_, world):
            sellers = [await world.seller(f"deliver{number}x") for number in range(videos)]
            cards = [await each.order(world.photo, f"{each.name} turns") for each in sellers]
            meter = BusyMeter()
            await asyncio.gather(
                *(
                    buy_after(number * PAUSE_SECONDS, seller, card.id)
                    for number, (seller, card) in enumerate(zip(sellers, cards, strict=True))
                )
            )
            busy = meter.told()
            waits = Spread([await until_seen(world, each) for each in sellers])
    console.print(table_of(f"one order every {PAUSE_SECONDS:.0f} s, {busy}", {"ready → in the chat": waits}))
    console.print(f"p95 {waits.percentile(95):.3f} s, goal {GOAL_P95_SECONDS} s")


async def buy_after(seconds: float, seller: Seller, card_id: int) -> None:
    await asyncio.sleep(seconds)
    await seller.press("Generate", next(each for each in await seller.messages() if each.id == card_id))
    await seller.wait_for_videos(1, seconds=120)


async def until_seen(world: World, seller: Seller) -> float:
    (task,) = await world.kie_tasks(seller.name)
    told = (await world.telegram.get(f"/control/users/{seller.id}/messages")).json()["messages"]
    (seen, *_) = [
        datetime.fromisoformat(version["at"])
        for message in told
        for version in message["versions"]
        if version["kind"] == "video"
    ]
    return (seen - datetime.fromisoformat(task["completed_at"])).total_seconds()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
