"""Further pictures of the product: fetched, kept, moderated, shown to GPT, and never the end of an order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contracts import OrderRef
from activities.media import MediaActivities
from activities.prompts import GptCalls, PromptActivities
from clients.confined import Confined
from clients.kie import KieClient
from clients.media import MediaStorage, photo_key, view_key
from clients.openai import ScriptWriter
from clients.results import ResultDownloader
from clients.telegram import TelegramClient
from domain.clock import utc_now
from domain.failures import ALREADY_SETTLED, FailureClass
from domain.orders import Brief, Language, Photo, Template, VideoOptions
from domain.policy import OrderPolicy
from standins.openai.app import openai_app
from standins.server import running
from store.database import Database
from store.drafts import DraftOffer
from store.limits import RateLimits
from store.order_rows import OrderRow
from store.stores import Stores, build_stores
from tests.standins.telegram_parts import TOKEN, HttpBot, Person, Standin, picture, telegram
from tests.store.order_rows import Rows, rows_of

VIDEO_MODELS = ("kling-2.6/image-to-video", "bytedance/seedance-1.5-pro")
GONE = Photo("no-such-file", "gone")


@dataclass
class Kitchen:
    """The first three steps of an order, between a Telegram and an OpenAI that remember."""

    standin: Standin
    bot: HttpBot
    person: Person
    openai: httpx.AsyncClient
    rows: Rows
    stores: Stores
    media: MediaStorage
    fetching: MediaActivities
    prompts: PromptActivities

    async def photo(self, color: str) -> Photo:
        await self.person.sends("photo", "p.jpg", picture(color=color), "image/jpeg")
        largest = (await self.bot.updates())[-1]["message"]["photo"][-1]
        return Photo(largest["file_id"], largest["file_unique_id"])

    async def file(self, content: bytes) -> Photo:
        await self.person.sends("document", "p.jpg", content, "image/jpeg")
        document = (await self.bot.updates())[-1]["message"]["document"]
        return Photo(document["file_id"], document["file_unique_id"])

    async def order(self, *views: Photo, video_count: int = 1) -> str:
        user = await self.rows.users.register(self.person.id, "en")
        offer = DraftOffer(
            Brief(Template.UGC, "a mug"),
            await self.photo("teal"),
            video_count,
            1,
            Language.EN,
            VideoOptions("16:9", 10),
            views,
        )
        draft = await self.rows.drafts.create(user.id, offer)
        await self.rows.orders.place(draft.id, self.person.id)
        return draft.id

    async def fetch(self, order_id: str) -> OrderRow:
        await self._run(self.fetching.fetch_photo, order_id)
        return await self.stores.orders.read(order_id)

    async def moderate(self, order_id: str) -> None:
        await self._run(self.prompts.moderate_brief, order_id)

    async def write(self, order_id: str) -> None:
        await self._run(self.prompts.write_scripts, order_id)

    async def _run(self, activity: Any, order_id: str) -> None:
        env = ActivityEnvironment()
        env.info = replace(env.info, heartbeat_timeout=timedelta(seconds=5))
        await env.run(activity, OrderRef(order_id=order_id))

    async def digest(self, key: str) -> str:
        return sha256(await self.media.get(key)).hexdigest()

    async def seen(self, where: str) -> list[list[str]]:
        """The pictures of each request to OpenAI."""
        journal = (await self.openai.get("/control/journal", params={"where": where})).json()
        return [entry["fields"]["pictures"] for entry in journal["entries"]]

    async def files_asked(self) -> int:
        journal = (await self.standin.http.get("/control/journal", params={"where": "getFile"})).json()
        return len(journal["entries"])


@pytest_asyncio.fixture
async def kitchen(database: Database, tmp_path: Path) -> AsyncIterator[Kitchen]:
    async with AsyncExitStack() as stack:
        standin = await stack.enter_async_context(telegram(tmp_path / "telegram"))
        openai_url = await stack.enter_async_context(running(openai_app()))
        openai = await stack.enter_async_context(httpx.AsyncClient(base_url=openai_url, timeout=30))
        client = TelegramClient(SecretStr(TOKEN), standin.url, 60)
        stack.push_async_callback(client.close)
        writer = ScriptWriter(SecretStr("sk-test"), base_url=f"{openai_url}/v1", model="gpt-5-mini")
        stack.push_async_callback(writer.aclose)
        nowhere = "http://127.0.0.1:9"
        kie = KieClient([], api_base=nowhere, upload_base=nowhere, webhook_secret=SecretStr(""))
        stack.push_async_callback(kie.aclose)
        results = ResultDownloader([nowhere])
        stack.push_async_callback(results.close)
        stores = build_stores(database, utc_now, OrderPolicy())
        media = MediaStorage((tmp_path / "media").as_uri())
        yield Kitchen(
            standin,
            standin.bot,
            await standin.person(),
            openai,
            rows_of(database, welcome_credits=9),
            stores,
            media,
            MediaActivities(client, kie, results, stores, media, Confined()),
            PromptActivities(
                writer, stores.orders, media, VIDEO_MODELS, GptCalls(RateLimits(database, utc_now), 300)
            ),
        )


async def test_moderation_and_gpt_see_the_photo_and_its_views(kitchen: Kitchen) -> None:
    order_id = await kitchen.order(await kitchen.photo("red"), await kitchen.photo("navy"))
    order = await kitchen.fetch(order_id)
    assert order.view_media_keys == (view_key(order_id, 1), view_key(order_id, 2))
    await kitchen.moderate(order_id)
    await kitchen.write(order_id)
    sent = [await kitchen.digest(key) for key in (photo_key(order_id), *order.view_media_keys)]
    assert len(set(sent)) == 3
    assert await kitchen.seen("responses") == [sent], "the photo is the frame, so it comes first"
    # The one without a picture is of the scripts.
    assert sorted(await kitchen.seen("moderations")) == sorted([[], *([each] for each in sent)])


async def test_what_cannot_be_fetched_or_opened_is_left_out(kitchen: Kitchen) -> None:
    broken = await kitchen.file(b"no picture at all")
    small = await kitchen.file(picture(200, 200))
    order_id = await kitchen.order(GONE, broken, await kitchen.photo("red"), small)
    order = await kitchen.fetch(order_id)
    assert order.photo_media_key == photo_key(order_id)
    assert order.view_media_keys == (view_key(order_id, 3),)
    await kitchen.write(order_id)
    assert await kitchen.stores.orders.has_scripts(order_id)


async def test_an_order_without_one_good_view_goes_on(kitchen: Kitchen) -> None:
    order_id = await kitchen.order(GONE, GONE)
    order = await kitchen.fetch(order_id)
    assert (order.photo_media_key, order.view_media_keys) == (photo_key(order_id), ())
    await kitchen.write(order_id)
    assert [len(pictures) for pictures in await kitchen.seen("responses")] == [1]


async def test_a_photo_that_is_gone_ends_the_order_whatever_the_views(kitchen: Kitchen) -> None:
    await kitchen.standin.order_fault(where="getFile", status=400, body={"ok": False, "error_code": 400})
    order_id = await kitchen.order(await kitchen.photo("red"))
    with pytest.raises(ApplicationError) as failed:
        await kitchen.fetch(order_id)
    assert failed.value.type == FailureClass.USER_VIOLATION
    assert (await kitchen.stores.orders.read(order_id)).view_media_keys == ()


async def test_what_is_kept_is_not_fetched_again(kitchen: Kitchen) -> None:
    order_id = await kitchen.order(await kitchen.photo("red"))
    first = await kitchen.fetch(order_id)
    assert await kitchen.files_asked() == 2
    assert await kitchen.fetch(order_id) == first
    assert await kitchen.files_asked() == 2


async def test_a_try_that_ended_between_photo_and_views_is_taken_up(kitchen: Kitchen) -> None:
    order_id = await kitchen.order(await kitchen.photo("red"))
    await kitchen.stores.orders.keep_photo(order_id, photo_key(order_id), 640, 800)
    order = await kitchen.fetch(order_id)
    assert order.view_media_keys == (view_key(order_id, 1),)
    assert await kitchen.files_asked() == 1, "the photo is there"


async def test_a_forbidden_view_is_a_forbidden_order(kitchen: Kitchen) -> None:
    order_id = await kitchen.order(await kitchen.photo("red"))
    order = await kitchen.fetch(order_id)
    ruling = {"match": await kitchen.digest(order.view_media_keys[0]), "categories": ["violence"]}
    (await kitchen.openai.post("/control/rulings", json=ruling)).raise_for_status()
    with pytest.raises(ApplicationError) as failed:
        await kitchen.moderate(order_id)
    assert failed.value.type == FailureClass.USER_VIOLATION


async def test_a_kept_view_that_was_cleaned_away_is_left_out(kitchen: Kitchen, tmp_path: Path) -> None:
    order_id = await kitchen.order(await kitchen.photo("red"), await kitchen.photo("navy"))
    order = await kitchen.fetch(order_id)
    (tmp_path / "media" / order.view_media_keys[0]).unlink()
    await kitchen.moderate(order_id)
    await kitchen.write(order_id)
    assert [len(pictures) for pictures in await kitchen.seen("responses")] == [2]


async def test_gpt_is_told_the_form_and_how_many_pictures(kitchen: Kitchen) -> None:
    order = await kitchen.stores.orders.read(await kitchen.order())
    told = kitchen.prompts._told(order, 2)
    assert "16:9" in told
    assert "ten seconds" in told
    assert "Pictures after it: 2." in told


async def test_of_an_order_that_was_cancelled_nothing_is_asked(kitchen: Kitchen) -> None:
    order_id = await kitchen.order(await kitchen.photo("red"), video_count=3)
    for video_id in await kitchen.stores.videos.of_order(order_id):
        await kitchen.stores.videos.cancel(video_id)
    for step in (kitchen.fetch, kitchen.moderate, kitchen.write):
        with pytest.raises(ApplicationError) as settled:
            await step(order_id)
        assert (settled.value.type, settled.value.non_retryable) == (ALREADY_SETTLED, True)
    assert await kitchen.files_asked() == 0
    assert await kitchen.seen("") == []


async def test_one_open_video_is_reason_enough_to_go_on(kitchen: Kitchen) -> None:
    order_id = await kitchen.order(video_count=3)
    first, second, _ = await kitchen.stores.videos.of_order(order_id)
    await kitchen.stores.videos.cancel(first)
    await kitchen.stores.videos.cancel(second)
    assert (await kitchen.fetch(order_id)).photo_media_key
    await kitchen.moderate(order_id)
    await kitchen.write(order_id)
