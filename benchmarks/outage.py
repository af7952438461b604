"""Minutes without KIE or Telegram, in real time: `python -m benchmarks.outage kie|telegram [minutes]`.

The service refuses every connection. Orders come before and, where Telegram works, during the outage. Counted
is how long after its end the last video was delivered, and what had to be refunded. No wait is shortened.
"""

import asyncio
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from benchmarks.machine import BusyMeter, Spread, console, facts, table_of, world_on
from domain.clock import utc_now
from local.standins import Service
from tests.stories.player import plan_for, throw_away_folder
from tests.stories.world import World

MINUTES = 10.0
ORDERS_PER_MINUTE = 10
MINUTES_BEFORE = 2.0
GENERATION_SECONDS = 90.0
DRAIN_GOAL = timedelta(minutes=15)
REFUND_GOAL_PERCENT = 1.0
_CALM_PAUSE_SECONDS = 5.0
_PATIENCE = timedelta(minutes=50)


@dataclass(frozen=True)
class Ends:
    """Of the videos: when each was delivered, and how many were not."""

    delivered_at: list[datetime]
    refunded: int

    @property
    def refunded_percent(self) -> float:
        return 100 * self.refunded / (len(self.delivered_at) + self.refunded)


async def main(service: Service, minutes: float = MINUTES) -> None:
    console.print(facts())
    with throw_away_folder() as folder:
        plan = plan_for(folder / "data", TIME_SCALE="1", WELCOME_CREDITS="5")
        kie_options = [*plan.standin_options[Service.KIE], "--generation-seconds", str(GENERATION_SECONDS)]
        plan = replace(plan, standin_options={Service.KIE: kie_options}, webhook=True, bot_count=2)
        async with world_on(plan, folder) as (_, world):
            meter = BusyMeter()
            over_at = await live_through(world, service, minutes)
            ends = await until_calm(world, over_at)
            busy = meter.told()
    late = [max(0.0, (at - over_at).total_seconds()) for at in ends.delivered_at]
    console.print(
        table_of(f"{minutes:.0f} min without {service}; {busy}", {"delivered after its end": Spread(late)})
    )
    console.print(
        f"last after {max(late) / 60:.1f} min, goal {DRAIN_GOAL}; refunded {ends.refunded} of "
        f"{len(late) + ends.refunded}: {ends.refunded_percent:.1f} %, goal {REFUND_GOAL_PERCENT} %"
    )


async def live_through(world: World, service: Service, minutes: float) -> datetime:
    """Orders before, then the outage; the moment it was over. Nobody can tap while Telegram is away."""
    minutes_of_orders = MINUTES_BEFORE + (0 if service is Service.TELEGRAM else minutes)
    buying = asyncio.create_task(buy_for(world, minutes_of_orders))
    await asyncio.sleep(MINUTES_BEFORE * 60)
    if service is Service.TELEGRAM:
        await buying
    client = {Service.TELEGRAM: world.telegram, Service.KIE: world.kie}[service]
    (await client.post("/control/refuse", json={"seconds": minutes * 60})).raise_for_status()
    over_at = utc_now() + timedelta(minutes=minutes)
    console.print(f"{service} is away until {over_at:%H:%M:%S}")
    await asyncio.sleep(minutes * 60)
    await buying
    return over_at


async def buy_for(world: World, minutes: float) -> None:
    for number in range(int(minutes * ORDERS_PER_MINUTE)):
        seller = await world.seller(f"S{number}")
        await seller.buy(world.photo, f"take {number}")
        await asyncio.sleep(60 / ORDERS_PER_MINUTE)


async def until_calm(world: World, over_at: datetime) -> Ends:
    """Until no video is open; raise TimeoutError where that takes too long."""
    while open_videos := await world.rows(
        "select id from videos where state in ('OPEN', 'DELIVERING') order by id"
    ):
        if utc_now() > over_at + _PATIENCE:
            raise TimeoutError(f"still open: {[row['id'] for row in open_videos]}")
        await asyncio.sleep(_CALM_PAUSE_SECONDS)
    rows = await world.rows("select state, delivered_at from videos")
    delivered = [row["delivered_at"] for row in rows if row["state"] == "DELIVERED"]
    return Ends(delivered, len(rows) - len(delivered))


if __name__ == "__main__":
    asyncio.run(main(Service(sys.argv[1]), *map(float, sys.argv[2:])))
