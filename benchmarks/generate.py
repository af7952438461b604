"""Many tap Generate for five videos in the same second: `python -m benchmarks.generate [users] [bots]`.

Exactly so many videos are reserved, every tap is answered and every card changed, and every workflow is
started. Times are from the tap to the bot's calls, as the stand-in for Telegram receives them; the start of
a workflow counts from the order's row. Workers go on with the orders meanwhile.
"""

import asyncio
import sys
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg

from benchmarks.machine import BusyMeter, Spread, console, facts, table_of, world_on
from benchmarks.taps import until_answered
from domain.clock import utc_now
from tests.stories.player import plan_for, throw_away_folder
from tests.stories.seller import Message, Seller, soon
from tests.stories.world import World

USERS = 100
VIDEOS = 5
AT_ONCE = 10  # people who prepare their orders together
ANSWER_GOAL_SECONDS = 2.0
START_GOAL_SECONDS = 60.0


async def main(users: int = USERS, bots: int = 1) -> None:
    console.print(facts())
    with throw_away_folder() as folder:
        plan = plan_for(folder / "data", WELCOME_CREDITS=str(VIDEOS), TIME_SCALE="1")
        async with world_on(replace(plan, webhook=True, bot_count=bots, durable=True), folder) as (_, world):
            ready = await prepared(world, users)
            meter = BusyMeter()
            pressed = await tap_together(ready)
            answered = Spread(await until_answered(world, dict(pressed.values())))
            changed = Spread(await until_changed(world, {user: at for user, (_, at) in pressed.items()}))
            busy = meter.told()
            started = Spread(await until_started(world, users))
            reserved = await reserved_videos(world)
    rows = {"answered": answered, "card changed": changed, "workflow started": started}
    console.print(table_of(f"{users} users, {bots} bot(s); answered in {busy}", rows))
    console.print(f"videos reserved: {reserved}, expected {users * VIDEOS}")
    slowest = max(answered.percentile(99), changed.percentile(99))
    console.print(f"p99 {slowest:.3f} s, goal {ANSWER_GOAL_SECONDS} s")
    console.print(f"last workflow after {max(started.values):.1f} s, goal {START_GOAL_SECONDS:.0f} s")
    assert reserved == users * VIDEOS


async def prepared(world: World, users: int) -> list[tuple[Seller, Message]]:
    """Each with a confirm card for five videos, a few people at a time."""
    together = asyncio.Semaphore(AT_ONCE)

    async def prepare(number: int) -> tuple[Seller, Message]:
        async with together:
            seller = await world.seller(f"S{number}")
            return seller, await seller.order(world.photo, f"take {number}", VIDEOS)

    return list(await asyncio.gather(*(prepare(number) for number in range(users))))


async def tap_together(ready: list[tuple[Seller, Message]]) -> dict[int, tuple[str, datetime]]:
    """Callback query and moment of each user's tap, all within one second."""

    async def tap(number: int, seller: Seller, card: Message) -> tuple[int, tuple[str, datetime]]:
        await asyncio.sleep(number / len(ready))
        at = utc_now()
        done = await seller.press("Generate", card)
        return seller.id, (done["callback_query_id"], at)

    taps = (tap(number, seller, card) for number, (seller, card) in enumerate(ready))
    return dict(await asyncio.gather(*taps))


async def until_changed(world: World, tapped: dict[int, datetime]) -> list[float]:
    """To the first edit of each card after its tap."""

    async def edits() -> dict[str, datetime]:
        journal: dict[str, Any] = (
            await world.telegram.get("/control/journal", params={"where": "editMessageCaption"})
        ).json()
        found: dict[str, datetime] = {}
        for entry in journal["entries"]:
            found.setdefault(entry["user"], datetime.fromisoformat(entry["at"]))
        return found if all(str(user) in found for user in tapped) else {}

    first = await soon(edits, "every card changed")
    return [(first[str(user)] - at).total_seconds() for user, at in tapped.items()]


async def until_started(world: World, users: int) -> list[float]:
    async def started() -> list[asyncpg.Record]:
        rows = await world.rows(
            "select extract(epoch from workflow_started_at - created_at)::float8 as seconds from orders"
            " where workflow_started_at is not null"
        )
        return rows if len(rows) == users else []

    return [row["seconds"] for row in await soon(started, "every workflow started")]


async def reserved_videos(world: World) -> int:
    """By the entries, which stay; the wallets go on."""
    (row,) = await world.rows(
        "select coalesce(sum(reserved_delta), 0)::int as credits from credit_entries where kind = 'reserve'"
    )
    return int(row["credits"])


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
