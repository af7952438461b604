"""Workers that join and leave while orders run: some drain, some are killed, and there is always another."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from local.programs import Program
from local.stack import Stack
from tests.resets.orders import Bought, Place, bought_with, confirm_card
from tests.resets.points import until_ended

STARTING_MAX = 4
_EVERY_KILLED = 3


@dataclass(frozen=True)
class Plan:
    """Worker n serves `roles[n % len(roles)]`, and leaves once the next of its roles is there."""

    workers: int
    roles: Sequence[str]
    stay_seconds: float
    order_every_seconds: float


@dataclass
class Passed:
    """`exit_codes` of those who were asked to leave."""

    killed: int = 0
    exit_codes: list[int | None] = field(default_factory=list)
    orders: list[Bought] = field(default_factory=list)


@asynccontextmanager
async def shopping(place: Place, every_seconds: float) -> AsyncIterator[list[Bought]]:
    """New sellers order one and three videos in turn until the block ends."""
    orders: list[Bought] = []

    async def shop() -> None:
        while True:
            orders.append(await _order(place, len(orders)))
            await asyncio.sleep(every_seconds)

    shopper = asyncio.create_task(shop())
    try:
        yield orders
    finally:
        shopper.cancel()
        await asyncio.wait([shopper])
    assert shopper.cancelled(), shopper.exception()


async def _order(place: Place, number: int) -> Bought:
    marker, count = f"moving{number}x", 1 if number % 2 else 3
    seller = await place.world.seller(marker)
    card = await confirm_card(place, seller, marker, count, written=number % 4 == 0)
    await seller.press("Generate", card)
    return bought_with(place, seller, marker, card, count)


async def come_and_go(stack: Stack, place: Place, plan: Plan) -> Passed:
    """Ends when every order has ended, with the last worker of each role still there until then."""
    passed, starting = Passed(), asyncio.Semaphore(STARTING_MAX)
    workers = [_worker(stack, plan, number) for number in range(plan.workers)]
    joined = [asyncio.Event() for _ in workers]
    ended = asyncio.Event()

    async def live(number: int) -> None:
        async with starting:
            await workers[number].start()
            joined[number].set()
        await asyncio.sleep(plan.stay_seconds)
        successor = number + len(plan.roles)
        await (joined[successor] if successor < plan.workers else ended).wait()
        await _leave(workers[number], passed, killed=number % _EVERY_KILLED == 1 and not ended.is_set())

    living = [asyncio.create_task(live(number)) for number in range(plan.workers)]
    async with shopping(place, plan.order_every_seconds) as orders:
        await asyncio.gather(*(event.wait() for event in joined))
        await asyncio.sleep(plan.stay_seconds)
    passed.orders = orders
    for bought in orders:
        await until_ended(place.client, bought.workflows, 180)
    ended.set()
    await asyncio.gather(*living)
    return passed


async def _leave(worker: Program, passed: Passed, *, killed: bool) -> None:
    if killed:
        await worker.kill()
        passed.killed += 1
    else:
        passed.exit_codes.append(await worker.stop())


def _worker(stack: Stack, plan: Plan, number: int) -> Program:
    roles = plan.roles[number % len(plan.roles)]
    arguments = ["worker_main.py", "--role", roles]
    return Program(f"moving-{number}", arguments, folder=stack.folder.path, environment=stack.environment)


async def wrong_with_all(orders: Sequence[Bought]) -> list[str]:
    """Lost: neither in the chat nor refunded. Twice: seen twice, paid twice, or bought twice at KIE."""
    wrong = []
    for bought in orders:
        facts = await bought.place.world.facts(bought.seller, bought.marker)
        settled = facts.captured + facts.refunded
        if facts.videos != facts.captured or settled != bought.video_count or facts.reserved:
            wrong.append(f"{bought.order}: {facts}")
        elif facts.orders != 1 or facts.kie_tasks > bought.video_count:
            wrong.append(f"{bought.order} twice: {facts}")
    return wrong
