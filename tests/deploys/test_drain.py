"""SIGTERM: a worker takes nothing new, ends what it has begun, and nothing is tried twice for it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from activities import contracts
from local.programs import Program
from local.stack import Stack
from tests.deploys.system import events_of, system, tried_again
from tests.resets.orders import Bought, Place, bought_with, confirm_card, wrong_with
from tests.resets.points import describe, until_called, until_ended
from tests.resets.stages import (
    CREATING,
    DELIVERED,
    FETCHING,
    LATE_SECONDS,
    MODERATING,
    RINGING,
    SENDING,
    TELLING,
    UPLOADING,
    WRITING,
    Late,
    Stage,
)

CHECKING = Stage("checking", contracts.CHECK_KIE_TASK, Late("kie", "recordInfo"))
HELD = (MODERATING, WRITING, UPLOADING, CREATING, CHECKING, FETCHING, SENDING, RINGING, TELLING)
OTHERS = 6  # orders that go their way meanwhile
GRACE_SECONDS = 75.0


@pytest_asyncio.fixture(scope="module")
async def running() -> AsyncIterator[tuple[Stack, Place]]:
    async with system(workers=3) as made:
        yield made


async def worker_at(stack: Stack, bought: Bought, workflow_id: str, activity: str) -> Program:
    """Who has that call in his hands."""
    described = await describe(bought.place.client, workflow_id)
    assert described is not None
    pending = described.raw_description.pending_activities
    (identity,) = [each.last_worker_identity for each in pending if each.activity_type.name == activity]
    pid = int(identity.partition("@")[0])
    return next(worker for worker in stack.workers if worker.child.pid == pid)


async def drained(worker: Program) -> float:
    """Stopped by SIGTERM and started again, as a deploy does; how long it took to stop."""
    started = time.monotonic()
    code = await worker.stop()
    seconds = time.monotonic() - started
    assert code == 0, f"{worker.name} was killed after {seconds:.0f} s"
    await worker.start()
    return seconds


async def ends_as_if_nothing_was(bought: Bought, fate: Any) -> None:
    client = bought.place.client
    await until_ended(client, bought.workflows)
    again = {each: tried_again(await events_of(client, each)) for each in bought.workflows}
    assert not any(again.values()), again
    attempts = await bought.place.world.rows(
        "select state from attempts where video_id like $1 || '-%'", bought.order_id
    )
    assert [row["state"] for row in attempts] == ["ACCEPTED"]
    assert not await wrong_with(bought, fate)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("stage", HELD, ids=lambda stage: stage.name)
async def test_a_call_that_is_out_is_answered_before_the_worker_ends(
    running: tuple[Stack, Place], stage: Stage
) -> None:
    stack, place = running
    bought = await stage.bring(place, "drain" + stage.name.title().replace(" ", ""))
    workflow_id = bought.order if stage.of_order else bought.videos[0]
    worker = await worker_at(stack, bought, workflow_id, stage.contract.name)
    assert await drained(worker) < GRACE_SECONDS
    await ends_as_if_nothing_was(bought, stage.fate)


@pytest.mark.timeout(600)
async def test_a_transaction_that_waits_for_a_lock_is_ended_too(running: tuple[Stack, Place]) -> None:
    """The credits of one user are locked by somebody else while his video is to be captured."""
    stack, place = running
    await place.world.kie_outcome("drainLock", hold=True)
    seller = await place.world.seller("drainLock")
    card = await confirm_card(place, seller, "drainLock", 1, written=False)
    bought = bought_with(place, seller, "drainLock", card)
    await seller.press("Generate", card)
    await place.world.wait_for_kie_task("drainLock")
    other = await asyncpg.connect(stack.owner_database_url)
    async with other.transaction():
        await other.execute(
            "select 1 from wallets join users on id = user_id where tg_user_id = $1 for update of wallets",
            seller.id,
        )
        await place.world.release_kie_task("drainLock")
        await until_called(place.client, bought.videos[0], contracts.SETTLE_VIDEO.name)
        worker = await worker_at(stack, bought, bought.videos[0], contracts.SETTLE_VIDEO.name)
        draining = asyncio.create_task(drained(worker))
        await asyncio.sleep(LATE_SECONDS)
        assert not draining.done()
    await other.close()
    assert await draining < GRACE_SECONDS
    await ends_as_if_nothing_was(bought, DELIVERED)


@pytest.mark.timeout(600)
async def test_all_workers_are_replaced_while_orders_come(running: tuple[Stack, Place]) -> None:
    stack, place = running

    async def order(number: int) -> Bought:
        await asyncio.sleep(number)
        marker = f"rolling{number}x"
        seller = await place.world.seller(marker)
        card = await confirm_card(place, seller, marker, 1, written=number % 2 == 0)
        await seller.press("Generate", card)
        return bought_with(place, seller, marker, card)

    ordering = [asyncio.create_task(order(number)) for number in range(OTHERS)]
    for worker in stack.workers:
        assert await drained(worker) < GRACE_SECONDS
    for bought in await asyncio.gather(*ordering):
        await ends_as_if_nothing_was(bought, DELIVERED)
