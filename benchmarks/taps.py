"""From the tap on Generate to its answer: `python -m benchmarks.taps [taps] [users] [pause]`.

The orders go on being made meanwhile, as they would in the evening. Times are the Telegram stand-in's:
from the tap to the bot's `answerCallbackQuery`; the edited card counts from the order's row. People pause
(in seconds, on average) before a photo and before a tap; with 0 nobody does, and the machine is the limit.
"""

import asyncio
import random
import sys
from datetime import datetime
from typing import Any

from benchmarks.machine import BusyMeter, Spread, console, facts, table_of, world_on
from domain.clock import utc_now
from tests.stories.player import plan_for, throw_away_folder
from tests.stories.seller import Seller, soon
from tests.stories.world import World

GOAL_P99_SECONDS = 1.0
TAPS = 200
USERS = 20
PAUSE_SECONDS = 2.0


async def main(taps: int = TAPS, users: int = USERS, pause_seconds: float = PAUSE_SECONDS) -> None:
    console.print(facts())
    with throw_away_folder() as folder:
        plan = plan_for(folder / "data", WELCOME_CREDITS=str(taps))
        async with world_on(plan, folder) as (_, world):
            sellers = [await world.seller(f"tap{number}") for number in range(users)]
            meter = BusyMeter()
            rounds = await asyncio.gather(
                *(tap_again(world, each, taps // users, pause_seconds) for each in sellers)
            )
            busy = meter.told()
            pressed = {query: at for each in rounds for query, at in each.items()}
            answered = Spread(await until_answered(world, pressed))
            edited = Spread([wait for each in sellers for wait in await until_edited(world, each)])
    console.print(
        table_of(
            f"{users} users, each pausing {pause_seconds} s, {busy}",
            {"answered": answered, "card edited": edited},
        )
    )
    console.print(f"p99 {answered.percentile(99):.3f} s, goal {GOAL_P99_SECONDS} s")


async def tap_again(world: World, seller: Seller, times: int, pause_seconds: float) -> dict[str, datetime]:
    """When each callback query was made."""
    pressed = {}
    for number in range(times):
        await pause(pause_seconds)
        card = await seller.order(world.photo, f"{seller.name} take {number}")
        await pause(pause_seconds)
        at = utc_now()
        done = await seller.press("Generate", card)
        pressed[done["callback_query_id"]] = at
        await seller.wait_for_button("More of this product", after=card.id - 1)
    return pressed


async def pause(mean_seconds: float) -> None:
    await asyncio.sleep(random.uniform(0.5, 1.5) * mean_seconds)  # noqa: S311 - people are no cryptography


async def until_answered(world: World, pressed: dict[str, datetime]) -> list[float]:
    async def answers() -> list[dict[str, Any]]:
        journal = await world.telegram.get("/control/journal", params={"where": "answerCallbackQuery"})
        found = [each for each in journal.json()["entries"] if each["fields"]["callback_query_id"] in pressed]
        return found if len(found) >= len(pressed) else []

    entries = await soon(answers, "an answer to every tap")
    return [
        (datetime.fromisoformat(each["at"]) - pressed[each["fields"]["callback_query_id"]]).total_seconds()
        for each in entries
    ]


async def until_edited(world: World, seller: Seller) -> list[float]:
    """From the tap, as the order's row has it, to the first version of the card with "More"."""
    told = (await world.telegram.get(f"/control/users/{seller.id}/messages")).json()["messages"]
    rows = await world.rows(
        """select o.created_at from orders o join users u on u.id = o.user_id
           where u.tg_user_id = $1 order by o.created_at""",
        seller.id,
    )
    edits = sorted(edit for each in told if (edit := first_version(each, "More of this product")))
    return [(edit - row["created_at"]).total_seconds() for edit, row in zip(edits, rows, strict=True)]


def first_version(message: dict[str, Any], label: str) -> datetime | None:
    """When a message first had that button."""
    for version in message["versions"]:
        if any(label in button["text"] for row in version["buttons"] for button in row):
            return datetime.fromisoformat(version["at"])
    return None


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:3]), *map(float, sys.argv[3:])))
