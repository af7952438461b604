"""A video that was settled, and whose workflow was reset or ended before it had said so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from domain import ids
from domain.clock import utc_now
from domain.failures import Failure, FailureClass
from domain.orders import MessagePurpose, MessageState, VideoState
from store.database import Database
from store.messages import MessageKey, Messages
from store.videos import Videos
from tests.store.order_rows import Rows, rows_of

GRACE, OWED = timedelta(minutes=2), timedelta(minutes=17)
FAILED = Failure(FailureClass.TEMPORARY)


@dataclass
class Settled:
    """Orders of so many videos each, settled now; looked at later."""

    rows: Rows
    messages: Messages
    database: Database
    later: timedelta = timedelta(minutes=3)

    async def video(self, state: VideoState, video_count: int = 1) -> str:
        placed = await self.rows.orders.place(await self.rows.draft(1, video_count), 1)
        video_id = ids.video_id(placed.order_id, 1)
        if state in {VideoState.DELIVERED, VideoState.WAITING}:
            await self.rows.videos.begin_delivery(video_id)
            key = MessageKey(placed.order_id, MessagePurpose.DELIVERY, 1)
            await self.messages.begin(key, 1)
            seen = MessageState.SENT if state is VideoState.DELIVERED else MessageState.REFUSED
            await self.messages.finish(key, seen, 7)
        failure = FAILED if state is VideoState.FAILED else None
        await self.rows.videos.settle(video_id, state, failure)
        return video_id

    async def untold(self) -> list[str]:
        videos = Videos(self.database, self.rows.ledger, self._clock)
        return await videos.untold(GRACE, OWED)

    def _clock(self) -> datetime:
        return utc_now() + self.later


@pytest_asyncio.fixture
async def settled(database: Database) -> AsyncIterator[Settled]:
    yield Settled(rows_of(database, welcome_credits=9), Messages(database, utc_now), database)


async def test_a_delivered_video_that_did_not_ring_is_owed_a_ring(settled: Settled) -> None:
    video_id = await settled.video(VideoState.DELIVERED)
    assert await settled.untold() == [video_id]
    await settled.messages.begin(MessageKey(ids.order_id_of_video(video_id), MessagePurpose.READY, 1), 1)
    assert await settled.untold() == []


async def test_a_refund_nobody_heard_of_is_told(settled: Settled) -> None:
    by_video, by_order = await settled.video(VideoState.FAILED), await settled.video(VideoState.FAILED)
    assert await settled.untold() == [by_video, by_order]
    await settled.messages.begin(MessageKey(ids.order_id_of_video(by_video), MessagePurpose.FAILURE, 1), 1)
    await settled.messages.begin(MessageKey(ids.order_id_of_video(by_order), MessagePurpose.FAILURE), 1)
    assert await settled.untold() == []


@pytest.mark.parametrize("state", [MessageState.SENT, MessageState.REFUSED])
async def test_one_of_several_is_told_in_its_place(settled: Settled, state: MessageState) -> None:
    video_id = await settled.video(VideoState.FAILED, video_count=2)
    assert await settled.untold() == [video_id]
    key = MessageKey(ids.order_id_of_video(video_id), MessagePurpose.FAILURE, 1)
    await settled.messages.begin(key, 1)
    await settled.messages.finish(key, state)
    assert await settled.untold() == []


async def test_what_telegram_did_not_take_is_owed_until_its_user_is_gone(settled: Settled) -> None:
    video_id = await settled.video(VideoState.FAILED)
    key = MessageKey(ids.order_id_of_video(video_id), MessagePurpose.FAILURE, 1)
    await settled.messages.begin(key, 1)
    await settled.messages.finish(key, MessageState.REFUSED)
    assert await settled.untold() == [video_id]
    async with settled.database.connection() as connection:
        await connection.execute("update users set blocked_at = now()")
    assert await settled.untold() == []


async def test_of_two_who_ask_again_one_sends(settled: Settled) -> None:
    video_id = await settled.video(VideoState.FAILED)
    key = MessageKey(ids.order_id_of_video(video_id), MessagePurpose.FAILURE, 1)
    await settled.messages.begin(key, 1)
    assert not await settled.messages.claim_refused(key)
    await settled.messages.finish(key, MessageState.REFUSED)
    asked = await asyncio.gather(*(settled.messages.claim_refused(key) for _ in range(4)))
    assert sum(asked) == 1


async def test_what_somebody_else_tells_is_left_to_him(settled: Settled) -> None:
    """The bot's answer to a cancel, the sending when its user is back."""
    await settled.video(VideoState.CANCELLED)
    waiting = await settled.video(VideoState.WAITING)
    await settled.rows.videos.mark_delivered(waiting)
    assert await settled.untold() == []


async def test_a_living_workflow_has_its_time_and_old_stories_rest(settled: Settled) -> None:
    video_id = await settled.video(VideoState.FAILED)
    found = {}
    for minutes in (1, 3, 16, 18):
        settled.later = timedelta(minutes=minutes)
        found[minutes] = await settled.untold()
    assert found == {1: [], 3: [video_id], 16: [video_id], 18: []}
