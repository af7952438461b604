"""What lies outside the database goes too, however often it is interrupted."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from activities.erasing import Eraser, WorkflowHistories
from clients.fingerprints import Fingerprints
from clients.media import MediaStorage, photo_key, video_key, view_key
from domain import ids
from domain.clock import utc_now
from store.database import Database
from store.forget import Forgetting
from store.ledger import Ledger
from tests.store.order_rows import rows_of
from workflows.search_attributes import TG_USER_ID

PERSON = 700_700_703
MARK = Fingerprints(SecretStr("1:t")).of(PERSON)


class Histories:
    """Where Temporal would be: away for a while, then with so many workflows left."""

    def __init__(self, *left: int | RPCError) -> None:
        self._left = list(left)
        self.asked: list[str] = []

    async def delete(self, order_id: str) -> int:
        self.asked.append(order_id)
        now = self._left.pop(0) if self._left else 0
        if isinstance(now, RPCError):
            raise now
        return now


class Broken(MediaStorage):
    """A storage that a process does not live to clear."""

    async def delete(self, keys: object) -> None:
        del keys
        raise asyncio.CancelledError


async def forgotten_order(database: Database, forgetting: Forgetting) -> str:
    rows = rows_of(database)
    order_id = await rows.draft(PERSON, video_count=2)
    await rows.orders.place(order_id, PERSON)
    await rows.orders.cancel(order_id, PERSON)
    await forgetting.forget(PERSON, MARK)
    return order_id


def forgetting_of(database: Database) -> Forgetting:
    return Forgetting(database, Ledger(database, utc_now), utc_now, timedelta())


async def keep_media(media: MediaStorage, order_id: str) -> None:
    for key in (
        photo_key(order_id),
        view_key(order_id, 1),
        video_key(ids.video_id(order_id, 2)),
        "other.jpg",
    ):
        await media.put(key, b"picture")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def outbox(database: Database) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval("select count(*) from forgotten_people"))


async def test_photos_views_and_videos_are_deleted_and_others_stay(
    database: Database, tmp_path: Path
) -> None:
    forgetting, media = forgetting_of(database), MediaStorage(tmp_path.as_uri())
    order_id = await forgotten_order(database, forgetting)
    await keep_media(media, order_id)
    histories = Histories()
    await Eraser(forgetting, media, histories, 0.0).empty()
    assert files(tmp_path) == ["other.jpg"]
    assert histories.asked == [order_id]
    assert await outbox(database) == 0


async def test_a_worker_killed_in_the_middle_leaves_it_to_the_next(
    database: Database, tmp_path: Path
) -> None:
    forgetting, media = forgetting_of(database), MediaStorage(tmp_path.as_uri())
    await keep_media(media, await forgotten_order(database, forgetting))
    with pytest.raises(asyncio.CancelledError):
        await Eraser(forgetting, Broken(tmp_path.as_uri()), Histories(), 0.0).empty()
    assert await outbox(database) == 1
    await Eraser(forgetting, media, Histories(), 0.0).empty()  # leased by the one that is dead
    assert len(files(tmp_path)) == 4
    async with database.connection() as connection:
        await connection.execute("update forgotten_people set next_try_at = now()")  # its lease is over
    await Eraser(forgetting, media, Histories(), 0.0).empty()
    assert files(tmp_path) == ["other.jpg"]
    assert await outbox(database) == 0


async def test_while_temporal_is_away_or_still_lists_something_it_is_repeated(
    database: Database, tmp_path: Path
) -> None:
    forgetting = forgetting_of(database)
    await forgotten_order(database, forgetting)
    away = RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
    histories = Histories(away, 3, 1)
    await asyncio.wait_for(Eraser(forgetting, MediaStorage(tmp_path.as_uri()), histories, 0.0).empty(), 20)
    assert len(histories.asked) == 4
    assert await outbox(database) == 0


async def test_temporal_forgets_the_workflows_of_an_order(
    database: Database, temporal_client: Client, tmp_path: Path
) -> None:
    forgetting = forgetting_of(database)
    order_id = await forgotten_order(database, forgetting)
    others = "f" * 20
    names = [
        ids.order_workflow_id(order_id),
        ids.video_workflow_id(ids.video_id(order_id, 2)),
        ids.resend_workflow_id(ids.video_id(order_id, 1)),
        ids.order_workflow_id(others),
    ]
    for name in names:
        await start_and_end(temporal_client, name)
    await start_and_end(temporal_client, names[2])  # sent again twice: two runs
    await until_listed(temporal_client, 5)
    histories = WorkflowHistories(temporal_client)
    eraser = Eraser(forgetting, MediaStorage(tmp_path.as_uri()), histories, 0.01)
    await asyncio.wait_for(erase_until_done(eraser, database), 60)
    for name in names[:3]:
        with pytest.raises(RPCError) as raised:
            await temporal_client.get_workflow_handle(name).describe()
        assert raised.value.status is RPCStatusCode.NOT_FOUND
    history = await temporal_client.get_workflow_handle(names[3]).fetch_history()
    assert history.events[0].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    assert await histories.delete(order_id) == 0


async def start_and_end(client: Client, workflow_id: str) -> None:
    attributes = TypedSearchAttributes([SearchAttributePair(TG_USER_ID, PERSON)])
    handle = await client.start_workflow(
        "NobodyServesThis", id=workflow_id, task_queue="nobody", search_attributes=attributes
    )
    await handle.terminate()


async def until_listed(client: Client, count: int) -> None:
    async with asyncio.timeout(20):
        while (await client.count_workflows(f"TgUserId = {PERSON}")).count < count:  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.1)


async def erase_until_done(eraser: Eraser, database: Database) -> None:
    while await outbox(database):
        await eraser.empty()
        await asyncio.sleep(0.2)
