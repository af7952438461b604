"""The stories of `make smoke`, each as a test of its own; played once, together.

There one bot polls; here two bots stand behind one webhook.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.stories.player import play_all
from tests.stories.shelf import BOOK, Played, Story


@pytest_asyncio.fixture(scope="session")
async def played() -> AsyncIterator[dict[str, Played]]:
    yield {each.story.name: each for each in await play_all(bots_behind_webhook=2)}


@pytest.mark.timeout(1200)  # the first one waits for all
@pytest.mark.parametrize("story", BOOK, ids=lambda story: story.name)
async def test_story(story: Story, played: dict[str, Played]) -> None:
    this = played[story.name]
    assert this.seen == story.expected, this.error
