"""What is told around a cancel and a resting video model, on a real Telegram stand-in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.contracts import OrderRef, ShowStage, Stage, TellLongWait, VideoRef
from activities.notices import NoticeActivities
from clients.media import MediaStorage
from clients.telegram import TelegramClient
from domain import ids
from domain.clock import utc_now
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import VideoState
from domain.policy import OrderPolicy
from domain.waiting import WaitReason
from store.database import Database
from store.stores import Stores, build_stores
from tests.activities.test_delivery import confirm_card
from tests.standins.telegram_parts import TOKEN, Person, telegram
from tests.store.order_rows import rows_of

RESTS = Failure(FailureClass.MODEL_UNAVAILABLE)


@dataclass
class Notices:
    """An order of so many videos, its confirm card in the chat."""

    person: Person
    stores: Stores
    activities: NoticeActivities
    order_id: str
    card_id: int

    @property
    def first(self) -> str:
        return ids.video_id(self.order_id, 1)

    async def run(self, activity: Any, request: Any) -> None:
        await ActivityEnvironment().run(activity, request)

    async def card(self) -> dict[str, Any]:
        messages = (await self.person.messages())["messages"]
        return dict(next(each for each in messages if each["message_id"] == self.card_id))

    async def texts(self) -> list[str]:
        return [each["text"] for each in (await self.person.messages())["messages"]]

    async def waits_for(self) -> frozenset[WaitReason]:
        return await self.stores.waiting_drafts.reasons()


@pytest_asyncio.fixture
async def notices(database: Database, tmp_path: Path) -> AsyncIterator[Notices]:
    async with telegram(tmp_path / "telegram") as standin:
        person = await standin.person()
        card_id = await confirm_card(standin.bot, person)
        rows = rows_of(database)
        placed = await rows.orders.place(await rows.draft(person.id), person.id, card_id)
        stores = build_stores(database, utc_now, OrderPolicy())
        client = TelegramClient(SecretStr(TOKEN), standin.url, 5)
        media = MediaStorage((tmp_path / "media").as_uri())
        activities = NoticeActivities(client, stores, media, support_contact="@help")
        yield Notices(person, stores, activities, placed.order_id, card_id)
        await client.close()


async def stage(notices: Notices, shown: Stage) -> dict[str, Any]:
    await notices.run(notices.activities.show_stage, ShowStage(video_id=notices.first, stage=shown))
    return await notices.card()


def labels(message: dict[str, Any]) -> str:
    return " ".join(button["text"] for row in message["buttons"] for button in row)


async def test_the_card_can_be_cancelled_until_it_may_be_bought(notices: Notices) -> None:
    for shown in (Stage.WRITING, Stage.QUEUED):
        assert "Cancel the order" in labels(await stage(notices, shown))
    assert "Cancel the order" not in labels(await stage(notices, Stage.MAKING))


async def test_a_late_stage_never_covers_a_cancel(notices: Notices) -> None:
    await notices.stores.orders.cancel(notices.order_id, notices.person.id)
    shown = await stage(notices, Stage.QUEUED)
    assert "Cancelled" in shown["text"]
    assert "Cancel the order" not in labels(shown)


async def test_a_cancel_is_told_once(notices: Notices) -> None:
    await notices.stores.orders.cancel(notices.order_id, notices.person.id)
    for _ in range(2):
        await notices.run(notices.activities.tell_cancelled, OrderRef(order_id=notices.order_id))
    told = [text for text in await notices.texts() if "The order is cancelled" in text]
    assert len(told) == 2, "in the placeholder, and once as a message"
    assert "1 credit back, balance: 3 credits" in told[-1]


async def test_an_order_that_failed_as_a_whole_has_no_closing_card(notices: Notices) -> None:
    await notices.stores.orders.release(
        notices.order_id, FailureClass.USER_VIOLATION, FailureReason.PHOTO_GONE
    )
    await notices.run(notices.activities.tell_order_failure, OrderRef(order_id=notices.order_id))
    told = await notices.texts()
    await notices.run(notices.activities.send_closing_card, OrderRef(order_id=notices.order_id))
    assert await notices.texts() == told


async def test_the_words_of_a_cancel_are_not_covered_by_its_stage(notices: Notices) -> None:
    await notices.stores.orders.cancel(notices.order_id, notices.person.id)
    await notices.run(notices.activities.tell_cancelled, OrderRef(order_id=notices.order_id))
    told = await notices.texts()
    await stage(notices, Stage.CANCELLED)
    assert await notices.texts() == told


@pytest.mark.parametrize(
    ("service", "told"), [("kie", "cannot be reached"), ("telegram", "queue"), ("openai", "queue")]
)
async def test_only_an_outage_of_kie_is_one_of_the_video_service(
    notices: Notices, service: str, told: str
) -> None:
    for _ in range(10):
        await notices.stores.services.unreachable(service)
    await notices.run(notices.activities.tell_long_wait, TellLongWait(order_id=notices.order_id, step=1))
    assert told in (await notices.texts())[-1]


async def test_a_resting_model_is_a_promise_that_is_kept(notices: Notices) -> None:
    await notices.stores.videos.settle(notices.first, VideoState.FAILED, RESTS)
    await notices.run(notices.activities.tell_failure, VideoRef(video_id=notices.first))
    assert "I will write to you when it is back" in (await notices.texts())[-1]
    waiting = await notices.stores.waiting_drafts.claim([WaitReason.MODEL_RESTS])
    assert waiting is not None
    assert (waiting.tg_user_id, waiting.draft_id) == (notices.person.id, notices.order_id)


async def test_an_order_that_failed_for_it_waits_too(notices: Notices) -> None:
    await notices.stores.orders.release(notices.order_id, RESTS.failure_class, FailureReason.NONE)
    await notices.run(notices.activities.tell_order_failure, OrderRef(order_id=notices.order_id))
    assert await notices.waits_for() == {WaitReason.MODEL_RESTS}


async def test_other_failures_promise_nothing(notices: Notices) -> None:
    await notices.stores.videos.settle(notices.first, VideoState.FAILED, Failure(FailureClass.TEMPORARY))
    await notices.run(notices.activities.tell_failure, VideoRef(video_id=notices.first))
    assert await notices.waits_for() == frozenset()
