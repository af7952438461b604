"""Resets are safe: whatever an engineer resets, nothing is charged, bought or delivered twice, nor lost.

Walked is every completed workflow task of
- orders of one and of three videos and of their videos, one per kind of ending, each reset again and again
  from the run that really worked: no message, no KIE task and no entry may change;
- orders and videos that still run, one order per reset point, at every stage in which a call is out.
And at some stages an order is terminated or cancelled by hand, or a video is terminated.
All of it runs on one system, a few orders at a time.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from local.stack import Stack
from local.standins import Service
from local.temporal import connect
from tests.resets.orders import Place
from tests.resets.walks import all_walks, walk_all
from tests.stories.player import LocalSystem, draw_product, plan_for, throw_away_folder
from tests.stories.world import World

TIME_SCALE = "0.1"  # a busy machine is slow, and no deadline of an order may come before its reset
GENERATION_SECONDS = 0.5


@pytest_asyncio.fixture(scope="module")
async def found() -> AsyncIterator[dict[str, list[str]]]:
    """What was wrong after each walk."""
    with throw_away_folder() as folder:
        photo = draw_product(folder / "product.jpg")
        async with Stack(plan_for(folder / "data", TIME_SCALE=TIME_SCALE)) as stack:
            world = World(
                stack.chat_url,
                stack.standins[Service.KIE].url,
                stack.standins[Service.OPENAI].url,
                stack.database_url,
                LocalSystem(stack),
                photo,
            )
            quick = {"generation_seconds": GENERATION_SECONDS}
            (await world.kie.post("/control/settings", json=quick)).raise_for_status()
            yield await walk_all(Place(await connect(stack.temporal.address), world))
            await world.close()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("walk", [each.name for each in all_walks()])
def test_reset(walk: str, found: dict[str, list[str]]) -> None:
    assert not found[walk], "\n".join(found[walk])
