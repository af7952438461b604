"""What the user chose of the form stands in the create call, in the words of the video model."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.contracts import AdmissionRequest, AttemptRef, CreateOutcome, CreateRequest
from activities.kie import KieActivities
from activities.signals import WorkflowSignals
from clients.kie import KieClient
from clients.media import MediaStorage
from domain import ids
from domain.clock import utc_now
from domain.keys import KeyRef, KieKey
from domain.orders import AS_IT_COMES, Brief, Language, Template, VideoOptions
from domain.policy import OrderPolicy
from domain.video_models import CATALOGUE
from standins.kie.app import kie_app
from standins.kie.orders import KieSettings
from standins.server import running
from store.database import Database
from store.drafts import DraftOffer
from store.stores import Stores, build_stores
from tests.standins.telegram_parts import picture
from tests.store.order_rows import PHOTO, rows_of

KEY = KeyRef("key1", "alpha")
SETTINGS = KieSettings(generation_seconds=0.1)


@dataclass
class Studio:
    database: Database
    stores: Stores
    activities: KieActivities
    kie: httpx.AsyncClient
    media: MediaStorage

    async def made_with(self, options: VideoOptions) -> dict[str, Any]:
        """What KIE keeps of the task it was given."""
        video_id = await self._video(options)
        run = ActivityEnvironment().run
        admitted = await run(self.activities.admit_video, AdmissionRequest(video_id=video_id))
        assert admitted.attempt is not None
        attempt_id = admitted.attempt.attempt_id
        photo = await run(self.activities.upload_photo, AttemptRef(attempt_id=attempt_id))
        create = CreateRequest(attempt_id=attempt_id, photo_url=photo.url)
        assert (await run(self.activities.create_kie_task, create)).outcome is CreateOutcome.ACCEPTED
        (task,) = (await self.kie.get("/control/tasks")).json()["tasks"]
        return dict(task)

    async def _video(self, options: VideoOptions) -> str:
        rows = rows_of(self.database)
        user = await rows.users.register(1, "en")
        brief = Brief(Template.OWN, own_prompt="A cup turns.")
        draft = await rows.drafts.create(user.id, DraftOffer(brief, PHOTO, 1, 1, Language.EN, options))
        await rows.orders.place(draft.id, 1)
        await self.media.put("photo.jpg", picture())
        await self.stores.orders.keep_photo(draft.id, "photo.jpg", 640, 800)
        await self.stores.orders.keep_scripts(draft.id, ["A cup turns."])
        return ids.video_id(draft.id, 1)


@pytest_asyncio.fixture(params=[slug for slug, row in CATALOGUE.items() if row.live])
async def studio(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Studio]:
    """One video model at a time is the only one."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(running(kie_app(SETTINGS, {"real-key": "alpha"})))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30))
        client = KieClient(
            [KieKey(KEY, SecretStr("real-key"))], api_base=url, upload_base=url, webhook_secret=SecretStr("")
        )
        stack.push_async_callback(client.aclose)
        stores = build_stores(database, utc_now, OrderPolicy(), [KEY], (request.param,))
        media = MediaStorage((tmp_path / "media").as_uri())
        nobody = WorkflowSignals(await Client.connect("127.0.0.1:9", lazy=True))
        yield Studio(database, stores, KieActivities(client, stores, media, nobody), http, media)


async def test_kie_takes_a_long_clip_of_every_live_model(studio: Studio) -> None:
    options = VideoOptions(seconds=10)
    task = await studio.made_with(options)
    row = CATALOGUE[task["model"]]
    assert float(task["input"][row.durations.field]) == 10
    assert task["billed_credits"] == row.kie_credits_for(options)


async def test_kie_takes_every_format_a_live_model_is_said_to_take(studio: Studio) -> None:
    (slug,) = studio.stores.admission._video_models
    row = CATALOGUE[slug]
    options = VideoOptions("16:9", 5) if row.aspect_ratios else AS_IT_COMES
    task = await studio.made_with(options)
    assert task["input"].get("aspect_ratio", "") == row.aspect_ratios.get(options.aspect_ratio, "")
    assert task["billed_credits"] == row.kie_credits
