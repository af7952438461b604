"""A whole system is restored while orders are under way. Temporal is not: it knows more, or nothing.

Ann ordered before the moment that is restored, Bob after it. Both videos are being made at KIE, and end.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from backups.restoring import Restored
from domain.clock import utc_now
from local.stack import Stack
from store.database import Database
from store.invariants import Invariants
from store.restores import Restores
from tests.deploys.system import system
from tests.resets.orders import Bought, Place
from tests.resets.points import until_ended
from tests.resets.stages import MAKING
from tests.restores.scenes import backed_up, restore

pytestmark = pytest.mark.timeout(400)

TOLD_SECONDS = 120.0


@dataclass
class After:
    """The system as it is after the restore; the programs serve again, and KIE's tasks have ended."""

    stack: Stack
    place: Place
    ann: Bought
    bob: Bought
    restored: Restored


async def restored_system(
    folder: Path, meanwhile: Callable[[Stack], Awaitable[None]]
) -> AsyncIterator[After]:
    async with system(workers=1) as (stack, place):
        ann = await MAKING.bring(place, "annTurns")
        storage = await backed_up(stack, folder)
        bob = await MAKING.bring(place, "bobTurns")
        restored = await restore(stack, storage, lambda: meanwhile(stack))
        for each in (ann, bob):
            await MAKING.let_go(each)
        yield After(stack, place, ann, bob, restored)


@pytest_asyncio.fixture(scope="module")
async def ahead(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[After]:
    async def nothing(_: Stack) -> None:
        return

    async for after in restored_system(tmp_path_factory.mktemp("ahead"), nothing):
        await until_ended(after.place.client, [*after.ann.workflows, *after.bob.workflows], 90)
        yield after


async def test_who_had_ordered_before_has_his_credits_and_reads_why(ahead: After) -> None:
    assert ahead.restored.raised.refunded == 1
    ann = ahead.ann
    await ann.seller.wait_for_text("back from a backup", "Balance now: 3", seconds=TOLD_SECONDS)
    facts = str(await ahead.place.world.facts(ann.seller, ann.marker))
    assert facts == "0 seen, 1 orders, 0 captured, 1 refunded, balance 3+0, 1 KIE tasks"


async def test_what_was_ordered_after_it_ends_without_a_purchase_or_a_message(ahead: After) -> None:
    bob = ahead.bob
    assert len(await ahead.place.world.kie_tasks(bob.marker)) == 1
    assert await bob.seller.videos() == []
    result = await ahead.place.client.get_workflow_handle(bob.videos[0]).result()
    assert not result["captured"]


async def test_who_is_not_known_any_more_is_answered_kindly(ahead: After) -> None:
    bob = ahead.bob.seller
    (card,) = [each for each in await bob.messages() if each.id == ahead.bob.card_id]
    last = await bob.last_id()
    await bob.press("More of this product", card)
    answer = await bob.wait_for_text("", after=last)
    assert "went wrong" not in answer.text
    card = await bob.order(ahead.place.world.photo, "bobAgain turns", 1)
    await bob.press("Generate", card)
    await bob.wait_for_videos(1, 120)


async def test_the_invariants_hold(ahead: After) -> None:
    database = await Database.connect(ahead.stack.database_url)
    checked = await Invariants(database, utc_now).check(complete=True, ids_max=9)
    unread = await Restores(database, utc_now).payments_unread()
    await database.close()
    assert not checked.broken
    assert not unread  # the bot read them before it opened


async def test_where_temporal_knows_nothing_everybody_is_told_all_the_same(tmp_path: Path) -> None:
    async def forget_everything(stack: Stack) -> None:
        await stack.temporal.stop()
        for path in stack.temporal.folder.glob("temporal.sqlite*"):
            path.unlink()
        await stack._start_temporal()

    async for after in restored_system(tmp_path, forget_everything):
        ann = after.ann.seller
        await ann.wait_for_text("back from a backup", "Balance now: 3", seconds=TOLD_SECONDS)
        assert await ann.videos() == []
        card = await ann.order(after.place.world.photo, "annAgain turns", 1)
        await ann.press("Generate", card)
        await ann.wait_for_videos(1, 120)
