"""GPT calls per minute, over all workers: who is over the limit waits, and loses none of his tries."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from activities.contracts import OrderRef
from activities.heartbeats import Heartbeats
from activities.prompts import GptCalls, PromptActivities
from clients.media import MediaStorage, photo_key
from clients.openai import ScriptWriter
from domain.clock import utc_now
from domain.orders import Brief, Language, Template
from domain.policy import OrderPolicy
from standins.openai.app import openai_app
from standins.server import running
from store.database import Database
from store.drafts import DraftOffer
from store.limits import Rate, RateLimits
from store.stores import Stores, build_stores
from tests.bot.chat import picture
from tests.store.order_rows import PHOTO, Rows, rows_of

USER = 1


@dataclass
class Desk:
    """Where scripts are written, with an OpenAI that counts."""

    openai: httpx.AsyncClient
    writer: ScriptWriter
    rows: Rows
    stores: Stores
    media: MediaStorage
    limits: RateLimits

    def activities(self, per_minute: int) -> PromptActivities:
        calls = GptCalls(self.limits, per_minute)
        return PromptActivities(
            self.writer, self.stores.orders, self.media, ("kling-2.6/image-to-video",), calls
        )

    async def order(self) -> OrderRef:
        user = await self.rows.users.register(USER, "en")
        offer = DraftOffer(Brief(Template.UGC, "a mug"), PHOTO, 1, 1, Language.EN)
        order_id = (await self.rows.drafts.create(user.id, offer)).id
        await self.rows.orders.place(order_id, USER)
        await self.media.put(photo_key(order_id), picture())
        await self.stores.orders.keep_photo(order_id, photo_key(order_id), 400, 600)
        return OrderRef(order_id=order_id)

    async def calls(self) -> int:
        journal = (await self.openai.get("/control/journal", params={"where": "responses"})).json()
        return len(journal["entries"])


@pytest_asyncio.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(running(openai_app()))
        openai = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30))
        writer = ScriptWriter(SecretStr("sk-test"), base_url=f"{url}/v1", model="gpt-5-mini")
        stack.push_async_callback(writer.aclose)
        yield Desk(
            openai,
            writer,
            rows_of(database, welcome_credits=9),
            build_stores(database, utc_now, OrderPolicy()),
            MediaStorage((tmp_path / "media").as_uri()),
            RateLimits(database, utc_now),
        )


async def test_over_the_limit_it_says_when_to_come_again(desk: Desk) -> None:
    activities, first, second = desk.activities(per_minute=1), await desk.order(), await desk.order()
    await ActivityEnvironment().run(activities.write_scripts, first)
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(activities.write_scripts, second)
    pause = raised.value.next_retry_delay
    assert pause is not None
    assert timedelta(seconds=30) < pause < timedelta(seconds=75)
    assert (raised.value.type, raised.value.non_retryable) == ("RATE_LIMIT", False)
    assert await desk.calls() == 1


async def test_who_missed_his_turn_has_all_his_tries(desk: Desk) -> None:
    order = await desk.order()
    await desk.openai.post("/control/faults", json={"where": "responses", "status": 500, "times": -1})
    for missed, attempt, non_retryable in ((7, 9, False), (7, 10, True), (0, 2, False), (0, 3, True)):
        env = ActivityEnvironment()
        env.info = replace(env.info, attempt=attempt, heartbeat_details=[missed] if missed else [])
        with pytest.raises(ApplicationError) as raised:
            await env.run(desk.activities(per_minute=100).write_scripts, order)
        assert raised.value.non_retryable is non_retryable, (missed, attempt)


async def test_temporal_remembers_the_turns_missed(desk: Desk, temporal_client: Client) -> None:
    """A worker with one call a second, used up by others; then OpenAI fails twice, and is right once."""
    order = await desk.order()
    await desk.openai.post("/control/faults", json={"where": "responses", "status": 500, "times": 2})
    activities = desk.activities(per_minute=60)
    await _use_up(desk.limits)
    async with Worker(
        temporal_client,
        task_queue="gpt-limit",
        activities=[activities.write_scripts],
        interceptors=[Heartbeats()],
    ):
        started = time.monotonic()
        await asyncio.wait_for(
            temporal_client.execute_activity(
                activities.write_scripts,
                order,
                id=f"scripts-{order.order_id}",
                task_queue="gpt-limit",
                start_to_close_timeout=timedelta(seconds=60),
                heartbeat_timeout=timedelta(seconds=30),
            ),
            60,
        )
    assert time.monotonic() - started > 1
    assert await desk.calls() == 3
    assert await desk.stores.orders.has_scripts(order.order_id)


async def _use_up(limits: RateLimits) -> None:
    while not await limits.take("GPT calls", Rate(per_second=1, burst=60)):
        pass
