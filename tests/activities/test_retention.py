"""What is older than thirty days goes, and nothing else."""

import os
from datetime import timedelta
from pathlib import Path

from temporalio.testing import ActivityEnvironment

from activities.contracts import Nothing
from activities.retention import MEDIA_KEPT, RetentionActivities
from clients.media import MediaStorage
from domain.clock import utc_now
from domain.ids import video_id
from domain.orders import VideoState
from store.database import Database
from tests.store.order_rows import rows_of


async def put_long_ago(media: MediaStorage, folder: Path, name: str) -> None:
    await media.put(name, b"picture")
    long_ago = (utc_now() - MEDIA_KEPT - timedelta(hours=1)).timestamp()
    os.utime(next(folder.rglob(name)), (long_ago, long_ago))


async def test_only_what_was_kept_long_enough_is_deleted(database: Database, tmp_path: Path) -> None:
    media = MediaStorage(f"file://{tmp_path}")
    await put_long_ago(media, tmp_path, "old.jpg")
    await media.put("new.jpg", b"picture")
    activities = RetentionActivities(media, rows_of(database).videos, utc_now)
    environment = ActivityEnvironment()
    assert (await environment.run(activities.delete_old_media, Nothing())).files == 1
    assert [path.name for path in tmp_path.rglob("*.jpg")] == ["new.jpg"]
    assert (await environment.run(activities.delete_old_media, Nothing())).files == 0


async def test_a_video_that_waits_for_its_user_stays(database: Database, tmp_path: Path) -> None:
    rows, media = rows_of(database), MediaStorage(f"file://{tmp_path}")
    order_id = await rows.draft(video_count=1)
    await rows.orders.place(order_id, 1)
    video = video_id(order_id, 1)
    for name in ("waiting.mp4", "other.mp4"):
        await put_long_ago(media, tmp_path, name)
    await rows.videos.keep_result(video, "waiting.mp4", 1, 1, 1.0)
    await rows.videos.settle(video, VideoState.WAITING)
    activities = RetentionActivities(media, rows.videos, utc_now)
    await ActivityEnvironment().run(activities.delete_old_media, Nothing())
    assert [path.name for path in tmp_path.rglob("*.mp4")] == ["waiting.mp4"]
