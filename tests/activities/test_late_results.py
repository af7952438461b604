"""A KIE task that ends after its video was settled: written down, counted once, its slot free again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contracts import CheckKieTask
from activities.kie import KieActivities
from activities.late_results import LateResults
from activities.signals import WorkflowSignals
from clients.kie import KieClient
from clients.media import MediaStorage
from domain.attempts import AttemptPhase
from domain.clock import utc_now
from domain.failures import ALREADY_SETTLED
from domain.keys import KeyRef, KieKey
from domain.policy import OrderPolicy
from standins.kie.app import kie_app
from standins.kie.orders import KieSettings
from standins.server import running
from store.admission import Granted
from store.database import Database
from store.limits import RateLimits
from store.stores import Stores, build_stores
from tests.fixtures.kie_rows import SCRIPT, add_video, close_video
from tests.standins.telegram_parts import picture

KEY = KeyRef("key1", "alpha")
APART_SECONDS = 0.05
MODEL = "kling-2.6/image-to-video"


@dataclass
class Kie:
    http: httpx.AsyncClient
    database: Database
    stores: Stores
    client: KieClient
    late: LateResults

    async def hold(self) -> None:
        """Tasks that are created from now on run until they are released."""
        (await self.http.post("/control/hold", json={})).raise_for_status()

    async def release(self) -> None:
        """Until they have ended."""
        (await self.http.post("/control/release", json={"now": True})).raise_for_status()
        async with asyncio.timeout(30):
            while not await self._all_ended():  # noqa: ASYNC110 - a server's state
                await asyncio.sleep(0.05)

    async def _all_ended(self) -> bool:
        tasks = (await self.http.get("/control/tasks")).json()["tasks"]
        return bool(tasks) and all(each["state"] == "success" for each in tasks)

    async def bought(self) -> str:
        """An attempt whose KIE task runs, of a video that was settled meanwhile."""
        video_id = await add_video(self.database, 7)
        admission = self.stores.admission
        granted = await admission.request(video_id)
        assert isinstance(granted, Granted)
        attempt = (await admission.begin_create(granted.attempt.id)).attempt
        photo_url = await self.client.upload(KEY.key_id, "photo.jpg", picture(), "image/jpeg")
        created = await self.client.create_task(KEY.key_id, attempt.id, MODEL, SCRIPT, photo_url)
        await admission.record_accepted(attempt.id, created.kie_task_id)
        await close_video(self.database, video_id)
        return attempt.id


@pytest_asyncio.fixture
async def kie(database: Database) -> AsyncIterator[Kie]:
    async with AsyncExitStack() as stack:
        app = kie_app(KieSettings(generation_seconds=0.5), {"real-key": "alpha"})
        url = await stack.enter_async_context(running(app))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30))
        client = KieClient(
            [KieKey(KEY, SecretStr("real-key"))], api_base=url, upload_base=url, webhook_secret=SecretStr("")
        )
        stack.push_async_callback(client.aclose)
        stores = build_stores(database, utc_now, OrderPolicy(), [KEY], (MODEL,))
        limits = RateLimits(database, utc_now)
        yield Kie(
            http,
            database,
            stores,
            client,
            LateResults(client, stores.admission, stores.accounts, limits, APART_SECONDS),
        )


async def test_what_still_runs_is_left_alone(kie: Kie) -> None:
    await kie.hold()
    attempt_id = await kie.bought()
    await kie.late.look()
    assert (await kie.stores.admission.attempt(attempt_id)).phase is AttemptPhase.RUNNING


async def test_its_end_and_its_price_are_written_down(kie: Kie) -> None:
    attempt_id = await kie.bought()
    await kie.stores.admission.abandon(attempt_id)
    (status,) = await kie.stores.accounts.statuses()
    assert status.in_flight == 1
    async with asyncio.timeout(20):
        while (await kie.stores.admission.attempt(attempt_id)).phase is not AttemptPhase.LATE:
            await kie.late.look()
            await asyncio.sleep(0.1)
    assert (await kie.stores.admission.attempt(attempt_id)).credits_consumed
    (status,) = await kie.stores.accounts.statuses()
    assert status.in_flight == 0
    assert await kie.stores.admission.left_alone(timedelta(days=1)) == []


async def test_two_workers_ask_as_often_as_one(kie: Kie) -> None:
    """The other one comes while it is not yet time again."""
    await kie.hold()
    attempt_id = await kie.bought()
    limits, hour = RateLimits(kie.database, utc_now), 3600.0
    workers = [
        LateResults(kie.client, kie.stores.admission, kie.stores.accounts, limits, hour) for _ in range(2)
    ]
    await workers[0].look()
    await kie.release()
    await workers[1].look()
    assert (await kie.stores.admission.attempt(attempt_id)).phase is AttemptPhase.RUNNING
    await asyncio.sleep(APART_SECONDS)
    await kie.late.look()
    assert (await kie.stores.admission.attempt(attempt_id)).phase is AttemptPhase.SUCCESS


async def test_its_workflow_asks_the_rows_before_kie(kie: Kie, tmp_path: Path) -> None:
    """Whoever refunded it wakes its workflow, which ends; the KIE task is for those who look later."""
    attempt_id = await kie.bought()
    nobody = WorkflowSignals(await Client.connect("127.0.0.1:9", lazy=True))
    workers = KieActivities(kie.client, kie.stores, MediaStorage(tmp_path.as_uri()), nobody)
    with pytest.raises(ApplicationError) as ended:
        await ActivityEnvironment().run(workers.check_kie_task, CheckKieTask(attempt_id=attempt_id))
    assert (ended.value.type, ended.value.non_retryable) == (ALREADY_SETTLED, True)
    assert (await kie.stores.admission.attempt(attempt_id)).phase is AttemptPhase.ABANDONED
    async with asyncio.timeout(20):
        while (await kie.stores.admission.attempt(attempt_id)).phase is not AttemptPhase.LATE:
            await kie.late.look()
            await asyncio.sleep(0.1)
