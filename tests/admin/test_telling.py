"""What the user's chat says of a deed: at once, once, and by somebody else where Telegram was away."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.contracts import OrderRef, VideoRef
from activities.notices import NoticeActivities
from clients.media import MediaStorage
from clients.telegram import TelegramClient
from domain import ids
from domain.clock import utc_now
from domain.orders import Brief, Language, Photo, Template
from domain.policy import OrderPolicy
from store.drafts import DraftOffer
from store.stores import build_stores
from tests.admin.operator import Operator, Shop, first_video
from tests.standins.telegram_parts import TOKEN, Person, Standin, picture, telegram

BACK = "1 credit"
BUSY = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 1}}
A_MOMENT, OWED = timedelta(0), timedelta(minutes=5)


@dataclass(frozen=True)
class Chat:
    """An operator with Telegram, a user with an order, and a worker that comes later."""

    shop: Shop
    operator: Operator
    standin: Standin
    person: Person
    worker: NoticeActivities

    async def order(self, video_count: int = 1) -> str:
        rows = self.shop.rows
        files = {"photo": ("card.jpg", picture(), "image/jpeg")}
        card = await self.standin.bot.call("sendPhoto", files, chat_id=self.person.id, caption="Generate?")
        photo = Photo("photo-file-id", "photo-unique-id", card["photo"][-1]["file_id"])
        brief = Brief(Template.OWN, own_prompt="spin it")
        user = await rows.users.register(self.person.id, "en")
        draft = await rows.drafts.create(user.id, DraftOffer(brief, photo, video_count, 1, Language.EN))
        placed = await rows.orders.place(draft.id, self.person.id, card["message_id"])
        await self.shop.rows.orders.keep_photo(placed.order_id, "photo.jpg", 800, 600)
        await self.shop.rows.orders.keep_scripts(placed.order_id, ["spin it"] * video_count)
        return placed.order_id

    async def texts(self) -> list[str]:
        return [each["text"] for each in (await self.person.messages())["messages"] if each["from_bot"]]

    async def is_owed(self) -> list[str]:
        return await self.shop.rows.videos.untold(A_MOMENT, OWED)

    async def housekeeping_tells(self, video_id: str) -> None:
        await ActivityEnvironment().run(self.worker.tell_failure, VideoRef(video_id=video_id))

    async def workflow_wakes(self, order_id: str) -> None:
        await ActivityEnvironment().run(self.worker.tell_cancelled, OrderRef(order_id=order_id))


@pytest_asyncio.fixture
async def chat(shop: Shop, operator: Operator, tmp_path: Path) -> AsyncIterator[Chat]:
    async with telegram(tmp_path / "telegram") as standin:
        at_telegram = {"BOT_TOKEN": TOKEN, "TELEGRAM_API_BASE": standin.url}
        client = TelegramClient(SecretStr(TOKEN), standin.url, 5)
        stores = build_stores(shop.database, utc_now, OrderPolicy())
        worker = NoticeActivities(
            client, stores, MediaStorage((tmp_path / "media").as_uri()), support_contact="@help"
        )
        connected = replace(operator, settings={**operator.settings, **at_telegram})
        yield Chat(shop, connected, standin, await standin.person(), worker)
        await client.close()


async def test_a_refund_is_told_at_once_and_nobody_repeats_it(chat: Chat) -> None:
    order_id = await chat.order()
    await chat.shop.buy(first_video(order_id), "a-task")
    told = await chat.operator.reads("refund", order_id, "--bought", "--yes")
    placeholder, message = (await chat.texts())[-2:]
    assert "could not be made" in placeholder
    assert "Back on your balance: 1 credit. Balance now: 10 credits." in message
    assert not [line for line in told["result"]["untold"] if "Telegram" in line]
    assert await chat.is_owed() == []
    await chat.housekeeping_tells(first_video(order_id))
    assert (await chat.texts())[-2:] == [placeholder, message]


async def test_one_of_several_is_told_in_its_own_place(chat: Chat) -> None:
    order_id = await chat.order(3)
    await chat.shop.buy(first_video(order_id), "a-task")
    refused = await chat.operator.says("refund", order_id, "--bought", "--yes")
    assert refused.code == 0, refused.err
    texts = [text for text in await chat.texts() if BACK in text]
    assert len(texts) == 3
    assert len([text for text in texts if "of 3" in text]) == 3
    assert await chat.is_owed() == []


@pytest.mark.parametrize("video_count", [1, 3])
async def test_a_refund_that_telegram_did_not_take_is_told_by_housekeeping(
    chat: Chat, video_count: int
) -> None:
    order_id = await chat.order(video_count)
    away = replace(
        chat.operator, settings={**chat.operator.settings, "TELEGRAM_API_BASE": "http://127.0.0.1:9"}
    )
    told = await away.reads("refund", order_id, "--yes")
    assert any("housekeeping tells the user" in line for line in told["result"]["untold"])
    owed = [ids.video_id(order_id, number) for number in range(1, video_count + 1)]
    assert sorted(await chat.is_owed()) == owed
    for video_id in owed:
        await chat.housekeeping_tells(video_id)
    assert len([text for text in await chat.texts() if BACK in text]) == video_count
    assert await chat.is_owed() == []


async def test_a_cancel_is_told_once_however_late_the_workflow_wakes(chat: Chat) -> None:
    order_id = await chat.order()
    told = await chat.operator.reads("cancel", order_id, "--yes")
    assert not [line for line in told["result"]["untold"] if "Telegram" in line]
    texts = await chat.texts()
    assert [BACK in text for text in texts[-2:]] == [True, True], "the placeholder, and a message that rings"
    await chat.workflow_wakes(order_id)
    assert await chat.texts() == texts


async def test_a_cancel_that_telegram_did_not_take_is_told_by_the_workflow(chat: Chat) -> None:
    order_id = await chat.order()
    await chat.standin.order_fault(where="sendMessage", kind="answer", times=1, status=429, body=BUSY)
    await chat.operator.reads("cancel", order_id, "--yes")
    await chat.workflow_wakes(order_id)
    assert [BACK in text for text in (await chat.texts())[-1:]] == [True]
    assert len(await chat.texts()) == 2, "the placeholder, and one message"
