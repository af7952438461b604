"""Old and new code side by side: programs of the previous release on the schema and servers of this one.

Needs its commit in git; a shallow clone has only its queries (`test_previous_queries.py`).
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from local.processes import Child, spawn
from local.programs import READY_TIMEOUT_SECONDS
from local.stack import Stack
from tests.deploys import previous
from tests.deploys.system import events_of, pids_in, system
from tests.resets.orders import Bought, Place, bought_with, confirm_card, wrong_with
from tests.resets.points import until_ended
from tests.resets.stages import DELIVERED
from tests.stories.seller import soon

pytestmark = [
    pytest.mark.skipif(not previous.is_in_git(), reason=f"git has no commit {previous.COMMIT[:7]} here"),
    pytest.mark.timeout(600),
]

ORDERS = 4


@pytest_asyncio.fixture(scope="module")
async def running(run_folder: Path) -> AsyncIterator[tuple[Stack, Place, Path]]:
    tree = run_folder / "previous"
    await asyncio.to_thread(previous.unpack, tree)
    async with system(workers=1) as (stack, place):
        yield stack, place, tree


@asynccontextmanager
async def old(program: str, stack: Stack, tree: Path) -> AsyncIterator[Child]:
    """The program of the previous release, with this system's settings; serving."""
    name = program.removesuffix("_main.py")
    ready = tree / f"{name}.ready"
    ready.unlink(missing_ok=True)  # an earlier test's program left it, and this one does not serve yet
    child = await spawn(
        f"previous {name}",
        [sys.executable, program],
        log_path=stack.folder.path / "logs" / f"previous-{name}.log",
        env={**stack.environment, "READY_FILE": str(ready)},
        cwd=str(tree),
    )

    async def serves() -> bool:
        assert child.is_running, child.log_tail()
        return ready.exists()

    try:
        await soon(serves, f"{name} of the previous release serves", READY_TIMEOUT_SECONDS)
        yield child
    finally:
        await child.stop(timeout_seconds=85.0)


async def order(place: Place, marker: str, count: int = 1) -> Bought:
    seller = await place.world.seller(marker)
    card = await confirm_card(place, seller, marker, count, written=count == 1)
    await seller.press("Generate", card)
    return bought_with(place, seller, marker, card, count)


async def all_delivered(place: Place, bought: list[Bought]) -> set[int]:
    """The processes that had a part in it."""
    pids: set[int] = set()
    for each in bought:
        await until_ended(place.client, each.workflows)
        assert not await wrong_with(each, DELIVERED)
        for workflow_id in each.workflows:
            pids |= pids_in(await events_of(place.client, workflow_id))
    return pids


async def test_orders_go_through_workers_of_both_releases(running: tuple[Stack, Place, Path]) -> None:
    stack, place, tree = running
    ours = stack.workers[0].child.pid
    async with old("worker_main.py", stack, tree) as theirs:
        markers = [f"sideBySide{number}x" for number in range(ORDERS)]
        bought = await asyncio.gather(*(order(place, marker) for marker in markers))
        assert await all_delivered(place, list(bought)) == {ours, theirs.pid}


async def test_an_order_that_the_new_worker_began_is_ended_by_the_old_one_and_back(
    running: tuple[Stack, Place, Path],
) -> None:
    """A deploy that is taken back in the middle of an order, and made again."""
    stack, place, tree = running
    await place.world.kie_outcome("thereAndBack", hold=True)
    began = stack.workers[0].child.pid
    bought = await order(place, "thereAndBack")
    await place.world.wait_for_kie_task("thereAndBack")
    await stack.workers[0].stop()
    async with old("worker_main.py", stack, tree) as theirs:
        await place.world.release_kie_task("thereAndBack")
        assert await all_delivered(place, [bought]) == {began, theirs.pid}
    await stack.workers[0].start()


async def test_the_old_bot_takes_orders_that_the_new_worker_makes(
    running: tuple[Stack, Place, Path],
) -> None:
    stack, place, tree = running
    await stack.bot.stop()
    async with old("bot_main.py", stack, tree):
        bought = await order(place, "oldBot")
        assert await all_delivered(place, [bought]) == {stack.workers[0].child.pid}
    await stack.bot.start()
