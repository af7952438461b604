"""What was sent again after the restored moment nobody knows: it goes out once more only for who asks for it.

Ann had blocked the bot when the backup was taken; when everything was stopped she was back, and her video
about to be sent. Dan had his video.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from domain import ids
from tests.deploys.system import system
from tests.resets.orders import Bought, Place
from tests.resets.points import until_ended
from tests.resets.stages import MAKING
from tests.restores.scenes import backed_up, restore
from tests.stories.seller import soon

pytestmark = pytest.mark.timeout(600)

PAUSE_SECONDS = 30  # longer than until the worker is asked to end


@dataclass
class After:
    place: Place
    ann: Bought
    dan: Bought

    @property
    def resend(self) -> str:
        """The workflow that was about to send Ann's video."""
        return ids.resend_workflow_id(ids.video_id(self.ann.order_id, 1))

    async def begin_resend(self) -> None:
        """Telegram asks for a pause, so that it is under way when everything is stopped."""
        parameters = {"retry_after": PAUSE_SECONDS}
        refusal = {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests",
            "parameters": parameters,
        }
        await self.place.world.telegram_fault("sendVideo", self.ann.seller, status=429, body=refusal)
        await self.ann.seller.unblock()
        await soon(self._is_asked_to_pause, "Ann's video on its way again")

    async def _is_asked_to_pause(self) -> bool:
        journal = await self.place.world.telegram.get("/control/journal", params={"where": "sendVideo"})
        return any(each["user"] == str(self.ann.seller.id) for each in journal.json()["entries"])


@pytest_asyncio.fixture(scope="module")
async def after(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[After]:
    async def nothing() -> None:
        return

    async with system(workers=1) as (stack, place):
        dan = await MAKING.bring(place, "danTurns")
        ann = await MAKING.bring(place, "annTurns")
        await ann.seller.block()
        for each in (dan, ann):
            await MAKING.let_go(each)
        await until_ended(place.client, [*ann.workflows, *dan.workflows])
        scene = After(place, ann, dan)
        storage = await backed_up(stack, tmp_path_factory.mktemp("backup"))
        await scene.begin_resend()
        await stack.workers[0].stop()  # before all others: it is the one that would send again
        await restore(stack, storage, nothing)
        yield scene


async def test_what_was_about_to_be_sent_ends_and_who_comes_back_gets_it(after: After) -> None:
    ann = after.ann
    await until_ended(after.place.client, [after.resend], 180)
    assert await ann.seller.videos() == []
    facts = str(await after.place.world.facts(ann.seller, ann.marker))
    assert facts == "0 seen, 1 orders, 1 captured, 0 refunded, balance 2+0, 1 KIE tasks"

    await ann.seller.say("/start")
    await ann.seller.wait_for_text("Welcome back", "Here it comes")
    await ann.seller.wait_for_videos(1)
    await until_ended(after.place.client, [after.resend], 180)
    assert len(await ann.seller.videos()) == 1


async def test_who_has_his_video_from_before_is_sent_it_again_when_he_asks(after: After) -> None:
    dan = after.dan
    assert len(await dan.seller.videos()) == 1
    await dan.seller.press("Send it here")
    await dan.seller.wait_for_videos(2)
