"""One try at sending, on a real Telegram stand-in: look first, never twice, never charged for nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contracts import ResendVideo, SendOutcome, SendResult, VideoRef
from activities.delivery import DeliveryActivities
from activities.orders import OrderActivities
from clients.media import MediaStorage
from clients.telegram import TelegramClient
from domain import ids
from domain.clock import utc_now
from domain.orders import MessagePurpose, MessageState, VideoState
from domain.policy import OrderPolicy
from store.database import Database
from store.library import Library
from store.messages import MessageKey
from store.stores import Stores, build_stores
from tests.standins.telegram_parts import TOKEN, HttpBot, Person, Standin, film, picture, telegram
from tests.store.order_rows import rows_of


@dataclass
class Delivery:
    """An order of one whose result is kept, its confirm card in the chat."""

    standin: Standin
    person: Person
    stores: Stores
    activities: DeliveryActivities
    orders: OrderActivities
    media: MediaStorage
    video_id: str
    card_id: int

    async def send(self) -> SendResult:
        return await self._run(self.activities.send_video, VideoRef(video_id=self.video_id))

    async def resend(self, run_id: str) -> SendResult:
        request = ResendVideo(video_id=self.video_id, run_id=run_id)
        return await self._run(self.activities.resend_video, request)

    async def _run(self, activity: Any, request: Any) -> SendResult:
        env = ActivityEnvironment()
        env.info = replace(env.info, heartbeat_timeout=timedelta(seconds=5))
        result: SendResult = await env.run(activity, request)
        return result

    async def videos_seen(self) -> list[int]:
        messages = (await self.person.messages())["messages"]
        return [each["message_id"] for each in messages if each["kind"] == "video" and not each["deleted"]]

    async def state(self) -> VideoState:
        return (await self.stores.videos.read(self.video_id)).state

    async def delivery_row(self, step: int = 0) -> MessageState | None:
        key = MessageKey(self.video_id.rpartition("-")[0], MessagePurpose.DELIVERY, 1, step)
        row = await self.stores.messages.find(key)
        return row.state if row else None


@pytest_asyncio.fixture
async def delivery(database: Database, tmp_path: Path) -> AsyncIterator[Delivery]:
    async with telegram(tmp_path / "telegram") as standin:
        person = await standin.person()
        card_id = await confirm_card(standin.bot, person)
        rows = rows_of(database)
        placed = await rows.orders.place(await rows.draft(person.id), person.id, card_id)
        media = MediaStorage((tmp_path / "media").as_uri())
        video_id = ids.video_id(placed.order_id, 1)
        await media.put("videos/result.mp4", film())
        stores = build_stores(database, utc_now, OrderPolicy())
        await stores.videos.keep_result(video_id, "videos/result.mp4", 240, 320, 1.0)
        client = TelegramClient(SecretStr(TOKEN), standin.url, 60)
        yield Delivery(
            standin,
            person,
            stores,
            DeliveryActivities(client, stores, media),
            OrderActivities(stores, utc_now),
            media,
            video_id,
            card_id,
        )
        await client.close()


async def confirm_card(bot: HttpBot, person: Person) -> int:
    files = {"photo": ("card.jpg", picture(), "image/jpeg")}
    message = await bot.call("sendPhoto", files, chat_id=person.id, caption="Generate?")
    return int(message["message_id"])


async def test_the_placeholder_becomes_the_video(delivery: Delivery) -> None:
    assert (await delivery.send()).outcome is SendOutcome.SENT
    assert await delivery.videos_seen() == [delivery.card_id]
    assert await delivery.state() is VideoState.DELIVERING
    assert (await delivery.stores.videos.read(delivery.video_id)).telegram_file_id


async def test_asked_again_nothing_is_sent_again(delivery: Delivery) -> None:
    assert [(await delivery.send()).outcome for _ in range(2)] == [SendOutcome.SENT] * 2
    assert await delivery.videos_seen() == [delivery.card_id]


async def test_an_edit_without_an_answer_is_looked_at(delivery: Delivery) -> None:
    await delivery.standin.order_fault(where="editMessageMedia", kind="drop_answer")
    assert (await delivery.send()).outcome is SendOutcome.UNCONFIRMED
    assert (await delivery.send()).outcome is SendOutcome.SENT
    assert await delivery.videos_seen() == [delivery.card_id]


async def test_looking_keeps_the_thumb_that_was_pressed_meanwhile(
    delivery: Delivery, database: Database
) -> None:
    await delivery.standin.order_fault(where="editMessageMedia", kind="drop_answer")
    await delivery.send()
    assert await Library(database, utc_now).rate(delivery.video_id, delivery.person.id, 1)
    assert (await delivery.send()).outcome is SendOutcome.SENT
    messages = (await delivery.person.messages())["messages"]
    (video,) = [each for each in messages if each["message_id"] == delivery.card_id]
    assert [button["text"] for button in video["buttons"][0]] == ["✅ 👍", "👎"]


async def test_an_edit_that_never_arrived_is_made(delivery: Delivery) -> None:
    await delivery.standin.order_fault(where="editMessageMedia", kind="drop_request")
    assert (await delivery.send()).outcome is SendOutcome.UNCONFIRMED
    assert (await delivery.send()).outcome is SendOutcome.SENT
    assert await delivery.videos_seen() == [delivery.card_id]


async def test_a_placeholder_that_is_gone_is_replaced_by_a_new_message(delivery: Delivery) -> None:
    await delivery.standin.bot.call("deleteMessage", chat_id=delivery.person.id, message_id=delivery.card_id)
    assert (await delivery.send()).outcome is SendOutcome.SENT
    (seen,) = await delivery.videos_seen()
    assert seen != delivery.card_id


async def test_a_new_message_without_an_answer_is_never_sent_twice(delivery: Delivery) -> None:
    await delivery.standin.bot.call("deleteMessage", chat_id=delivery.person.id, message_id=delivery.card_id)
    await delivery.standin.order_fault(where="sendVideo", kind="drop_answer")
    assert [(await delivery.send()).outcome for _ in range(2)] == [SendOutcome.UNKNOWN] * 2
    assert len(await delivery.videos_seen()) == 1


async def test_refusals_are_counted_in_the_rows(delivery: Delivery) -> None:
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: wrong file"}
    await delivery.standin.order_fault(where="editMessageMedia", status=400, body=refusal, times=2)
    refused = [await delivery.send() for _ in range(2)]
    assert [(each.outcome, each.refused_count) for each in refused] == [
        (SendOutcome.REFUSED, 1),
        (SendOutcome.REFUSED, 2),
    ]
    assert (await delivery.send()).outcome is SendOutcome.SENT


async def test_a_storage_without_the_file_has_sent_nothing(delivery: Delivery) -> None:
    await delivery.stores.videos.keep_result(delivery.video_id, "videos/missing.mp4", 240, 320, 1.0)
    assert (await delivery.send()).outcome is SendOutcome.REFUSED
    assert await delivery.delivery_row() is None, "SENDING would mean that it may be there"


async def test_a_blocked_bot_waits(delivery: Delivery) -> None:
    await delivery.person.does("block")
    assert (await delivery.send()).outcome is SendOutcome.BLOCKED


async def test_a_waiting_video_is_sent_once_whoever_asks(delivery: Delivery) -> None:
    """Who unblocks the bot asks for it, and the sweeper does, one right after the other."""
    await waits_for_its_user(delivery)
    assert (await delivery.resend("run-1")).outcome is SendOutcome.SENT
    for run_id in ("run-1", "run-2"):
        with pytest.raises(ApplicationError):
            await delivery.resend(run_id)
    assert len(await delivery.videos_seen()) == 1


async def test_a_resend_whose_worker_died_after_it_is_not_a_second_one(
    delivery: Delivery, owner_url: str
) -> None:
    await waits_for_its_user(delivery)
    await delivery.resend("run-1")
    owner = await asyncpg.connect(owner_url)
    await owner.execute("update videos set state = 'WAITING', delivered_at = null")
    await owner.close()
    assert (await delivery.resend("run-1")).outcome is SendOutcome.SENT, "as the row has it"
    assert len(await delivery.videos_seen()) == 1


async def test_a_resend_without_an_answer_is_not_repeated_by_its_own_run(delivery: Delivery) -> None:
    await waits_for_its_user(delivery)
    await delivery.standin.order_fault(where="sendVideo", kind="drop_answer")
    for _ in range(2):
        assert (await delivery.resend("run-1")).outcome is SendOutcome.UNKNOWN
    assert len(await delivery.videos_seen()) == 1
    assert (await delivery.resend("run-2")).outcome is SendOutcome.SENT, "he came back once more"


async def test_a_video_that_nobody_saw_arrive_is_sent_when_its_user_asks(delivery: Delivery) -> None:
    """Captured without Telegram's answer; a restore captures like that, too. Once is enough."""
    await delivery.stores.videos.begin_delivery(delivery.video_id)
    await delivery.stores.videos.settle(delivery.video_id, VideoState.DELIVERED)
    assert (await delivery.resend("run-1")).outcome is SendOutcome.SENT
    with pytest.raises(ApplicationError):
        await delivery.resend("run-2")
    assert len(await delivery.videos_seen()) == 1


@pytest.mark.parametrize("left", [VideoState.WAITING, VideoState.DELIVERED])
async def test_after_a_restore_only_what_somebody_asks_for_is_sent_again(
    delivery: Delivery, owner_url: str, left: VideoState
) -> None:
    """It may have arrived between the restored moment and the restore."""
    await delivery.stores.videos.begin_delivery(delivery.video_id)
    await delivery.stores.videos.settle(delivery.video_id, left)
    await delivery.stores.videos.ask_resend(delivery.video_id)
    for epoch in (1, 2):
        await raise_epoch(owner_url, epoch)
        with pytest.raises(ApplicationError, match="since the database was restored"):
            await delivery.resend("run-1")
        assert await delivery.stores.videos.waiting_for_somebody_back(timedelta(hours=1)) == []
    assert await delivery.videos_seen() == []

    await delivery.stores.videos.ask_resend(delivery.video_id)
    assert (await delivery.resend("run-2")).outcome is SendOutcome.SENT
    assert len(await delivery.videos_seen()) == 1


async def test_what_waits_since_a_restore_is_sent_by_itself(delivery: Delivery, owner_url: str) -> None:
    await waits_for_its_user(delivery)
    owner = await asyncpg.connect(owner_url)
    await owner.execute("delete from messages where purpose = 'delivery'")
    await owner.close()
    found = await delivery.stores.videos.waiting_for_somebody_back(timedelta(hours=1))
    assert found == [delivery.video_id]
    assert (await delivery.resend("run-1")).outcome is SendOutcome.SENT


async def raise_epoch(owner_url: str, epoch: int) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute("insert into epochs (epoch, raised_at) values ($1, now())", epoch)
    await owner.close()


async def waits_for_its_user(delivery: Delivery) -> None:
    await delivery.person.does("block")
    await delivery.send()
    await delivery.stores.videos.settle(delivery.video_id, VideoState.WAITING)
    await delivery.person.does("unblock")


async def test_what_was_refunded_is_not_given_away(delivery: Delivery) -> None:
    await delivery.stores.videos.settle(delivery.video_id, VideoState.CANCELLED)
    with pytest.raises(ApplicationError):
        await delivery.resend("run-1")
    with pytest.raises(ApplicationError):
        await delivery.send()
    assert await delivery.videos_seen() == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("drop_answer", VideoState.DELIVERED), ("answer", VideoState.FAILED)],
    ids=["may be there", "surely refused"],
)
async def test_housekeeping_captures_only_what_may_have_arrived(
    delivery: Delivery, fault: str, expected: VideoState
) -> None:
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: no"}
    await delivery.standin.order_fault(where="editMessageMedia", kind=fault, status=400, body=refusal)
    await delivery.send()
    settled = await delivery.orders.settle_overdue(VideoRef(video_id=delivery.video_id))
    assert settled.state is expected
    assert settled.captured is (expected is VideoState.DELIVERED)
