"""Telegram and OpenAI are marked as down as KIE is: by ten calls in a row that nobody answered.

The activities are made as a worker makes them, and talk to stand-ins over HTTP.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contracts import OrderRef, VideoRef
from activities.probes import TelegramProbe, UnusedOpenAi
from clients.telegram import TelegramError
from domain import ids
from domain.actions import Card
from domain.clock import utc_now
from domain.orders import Brief, Language, Template
from serving import temporal_client
from settings import load_settings
from standins.openai.app import openai_app
from standins.server import running
from store.database import Database
from store.drafts import DraftOffer
from store.services import Services
from store.system import SystemRows
from tests.fixtures.kie_rows import HandClock
from tests.standins.telegram_parts import TOKEN, Person, film, picture, telegram
from tests.store.order_rows import PHOTO, rows_of
from worker_parts import WorkerParts

NOBODY = "http://127.0.0.1:9"
BAD_GATEWAY = {"kind": "answer", "status": 502, "body": "<html>Bad Gateway</html>"}
CUT_OFF = {"kind": "drop_request"}


class Asks(Protocol):
    async def __call__(self) -> None: ...


@dataclass
class Outside:
    """One service as the workers see it: how it is spoilt, and a call to it that may fail."""

    name: str
    http: httpx.AsyncClient
    where: str
    ask: Asks
    services: Services

    async def fail(self, times: int, **fault: Any) -> None:
        orders = {"where": self.where, "times": times, **fault}
        (await self.http.post("/control/faults", json=orders)).raise_for_status()
        for _ in range(times):
            await self.ask()

    async def in_row(self) -> tuple[int, bool]:
        statuses = await self.services.statuses()
        (status,) = [each for each in statuses if each.service == self.name]
        return status.in_row, status.down_since is not None


@dataclass
class Scene:
    parts: WorkerParts
    telegram: httpx.AsyncClient
    openai: httpx.AsyncClient
    person: Person
    services: Services
    database: Database

    def sending(self) -> Outside:
        async def ask() -> None:
            with pytest.raises(TelegramError):
                await self.parts.telegram.send_text(self.person.id, Card("hello"))

        return Outside("telegram", self.telegram, "sendMessage", ask, self.services)

    async def moderating(self) -> Outside:
        order = OrderRef(order_id=await self.order())

        async def ask() -> None:
            with pytest.raises(ApplicationError):
                await ActivityEnvironment().run(self.parts.prompts.moderate_brief, order)

        return Outside("openai_moderation", self.openai, "moderations", ask, self.services)

    async def writing(self) -> Outside:
        order = OrderRef(order_id=await self.order())

        async def ask() -> None:
            with pytest.raises(ApplicationError):
                await ActivityEnvironment().run(self.parts.prompts.write_scripts, order)

        return Outside("openai", self.openai, "responses", ask, self.services)

    async def order(self) -> str:
        rows = rows_of(self.database)
        user = await rows.users.register(self.person.id, "en")
        offer = DraftOffer(Brief(Template.UGC, "a mug"), PHOTO, 1, 1, Language.EN)
        order_id = (await rows.drafts.create(user.id, offer)).id
        await rows.orders.place(order_id, self.person.id)
        await self.parts.storage.put(f"photos/{order_id}.jpg", picture())
        await self.parts.stores.orders.keep_photo(order_id, f"photos/{order_id}.jpg", 640, 800)
        return order_id


@pytest_asyncio.fixture
async def scene(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        standin = await stack.enter_async_context(telegram(tmp_path / "telegram"))
        openai_url = await stack.enter_async_context(running(openai_app()))
        openai = await stack.enter_async_context(httpx.AsyncClient(base_url=openai_url, timeout=30))
        parts = await parts_of(database, database_url, tmp_path, stack, standin.url, openai_url)
        person = await standin.person()
        yield Scene(parts, standin.http, openai, person, Services(database, utc_now), database)


async def parts_of(
    database: Database,
    database_url: str,
    folder: Path,
    stack: AsyncExitStack,
    telegram_url: str,
    openai_url: str,
) -> WorkerParts:
    settings = load_settings(
        {
            "BOT_TOKEN": TOKEN,
            "TELEGRAM_API_BASE": telegram_url,
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": f"{openai_url}/v1",
            "DATABASE_URL": database_url,
            "MEDIA_URL": (folder / "media").as_uri(),
        }
    )
    return WorkerParts(settings, (), database, await temporal_client(settings, lazy=True), stack)


@pytest.mark.parametrize("fault", [BAD_GATEWAY, CUT_OFF], ids=["5xx", "cut off"])
@pytest.mark.parametrize("service", ["telegram", "openai_moderation", "openai"])
async def test_ten_calls_without_an_answer_mark_it_and_the_next_answer_ends_it(
    scene: Scene, service: str, fault: dict[str, Any]
) -> None:
    outside = await outside_of(scene, service)
    await outside.fail(9, **fault)
    assert await outside.in_row() == (9, False)
    await outside.fail(1, **fault)
    assert await outside.in_row() == (10, True)
    assert await SystemRows(scene.database, utc_now).services() == {service: True}
    await answered(scene, service)
    assert await outside.in_row() == (0, False)


async def test_moderation_that_works_does_not_hide_that_nobody_writes(scene: Scene) -> None:
    outside, order = await scene.writing(), OrderRef(order_id=await scene.order())
    for _ in range(10):
        await ActivityEnvironment().run(scene.parts.prompts.moderate_brief, order)
        await outside.fail(1, status=429, body={"error": {"message": "no", "code": "insufficient_quota"}})
    assert await outside.in_row() == (10, True)


async def test_telegram_is_probed_while_it_is_down_and_only_then(scene: Scene) -> None:
    outside, clock = scene.sending(), HandClock(utc_now())
    probe = TelegramProbe(scene.parts.telegram, Services(scene.database, clock))
    await probe.look()
    await outside.fail(10, **BAD_GATEWAY)
    clock.forward(70)
    await scene.telegram.post("/control/faults", json={"where": "getMe", "times": 1, **BAD_GATEWAY})
    await probe.look()
    assert await outside.in_row() == (11, True)
    await probe.look()
    assert await outside.in_row() == (11, True), "once a minute"
    clock.forward(60)
    await probe.look()
    assert await outside.in_row() == (0, False)
    journal = (await scene.telegram.get("/control/journal", params={"where": "getMe"})).json()
    assert len(journal["entries"]) == 2


@pytest.mark.parametrize("service", ["openai_moderation", "openai"])
async def test_without_a_key_no_mark_of_openai_stays(scene: Scene, service: str) -> None:
    for _ in range(10):
        await scene.services.unreachable(service)
    await UnusedOpenAi(scene.services).look()
    assert await SystemRows(scene.database, utc_now).services() == {service: False}


@pytest.mark.parametrize(
    ("status", "description"),
    [
        (429, "Too Many Requests: retry after 1"),
        (403, "Forbidden: bot was blocked by the user"),
        (400, "Bad Request: message text is empty"),
        (401, "Unauthorized"),
    ],
)
async def test_a_refusal_of_telegram_is_an_answer(scene: Scene, status: int, description: str) -> None:
    outside = scene.sending()
    await outside.fail(9, **BAD_GATEWAY)
    refusal = {"ok": False, "error_code": status, "description": description}
    await outside.fail(1, status=status, body=refusal)
    assert await outside.in_row() == (0, False)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (429, "insufficient_quota", (10, True)),
        (429, "rate_limit_exceeded", (0, False)),
        (400, "invalid_image", (0, False)),
        (401, "invalid_api_key", (0, False)),
    ],
)
async def test_of_openais_refusals_only_a_used_up_quota_counts(
    scene: Scene, status: int, code: str, expected: tuple[int, bool]
) -> None:
    outside = await scene.moderating()
    await outside.fail(9, **BAD_GATEWAY)
    await outside.fail(1, status=status, body={"error": {"message": "no", "type": code, "code": code}})
    assert await outside.in_row() == expected


async def test_a_brief_that_is_forbidden_was_answered(scene: Scene) -> None:
    outside = await scene.moderating()
    await outside.fail(9, **BAD_GATEWAY)
    ruling = {"results": [{"flagged": True, "categories": {"sexual": True}}]}
    await outside.fail(1, status=200, body=ruling)
    assert await outside.in_row() == (0, False)


async def test_where_nobody_listens_both_are_down(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """A delivery, and the brief of an own prompt, whose order goes on without OpenAI."""
    async with AsyncExitStack() as stack:
        parts = await parts_of(database, database_url, tmp_path, stack, NOBODY, NOBODY)
        rows = rows_of(database)
        order_id = (await rows.orders.place(await rows.draft(1), 1, 17)).order_id
        video_id = ids.video_id(order_id, 1)
        await parts.storage.put("photo.jpg", picture())
        await parts.storage.put("video.mp4", film())
        await parts.stores.orders.keep_photo(order_id, "photo.jpg", 640, 800)
        await parts.stores.videos.keep_result(video_id, "video.mp4", 240, 320, 1.0)
        for _ in range(10):
            await ActivityEnvironment().run(parts.prompts.moderate_brief, OrderRef(order_id=order_id))
            await ActivityEnvironment().run(parts.delivery.send_video, VideoRef(video_id=video_id))
        statuses = await Services(database, utc_now).statuses()
    assert [(each.service, each.in_row, each.down_since is not None) for each in statuses] == [
        ("openai_moderation", 10, True),
        ("telegram", 10, True),
    ]


async def test_a_database_that_is_away_spoils_no_call(scene: Scene) -> None:
    await scene.database.close()
    sent = await scene.parts.telegram.send_text(scene.person.id, Card("hello"))
    assert sent.message_id


async def outside_of(scene: Scene, service: str) -> Outside:
    if service == "telegram":
        return scene.sending()
    return await (scene.moderating() if service == "openai_moderation" else scene.writing())


async def answered(scene: Scene, service: str) -> None:
    if service == "telegram":
        await scene.parts.telegram.send_text(scene.person.id, Card("hello"))
        return
    order, prompts = OrderRef(order_id=await scene.order()), scene.parts.prompts
    write = service == "openai"
    await ActivityEnvironment().run(prompts.write_scripts if write else prompts.moderate_brief, order)
