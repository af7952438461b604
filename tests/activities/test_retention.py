"""What is older than thirty days goes, and nothing else."""

import os
from datetime import timedelta
from pathlib import Path

from temporalio.testing import ActivityEnvironment

from activities.contracts import Nothing
from activities.retention import MEDIA_KEPT, RetentionActivities
from clients.media import MediaStorage
from domain.clock import utc_now


async def test_only_what_was_kept_long_enough_is_deleted(tmp_path: Path) -> None:
    media = MediaStorage(f"file://{tmp_path}")
    for name in ("old.jpg", "new.jpg"):
        await media.put(name, b"picture")
    long_ago = (utc_now() - MEDIA_KEPT - timedelta(hours=1)).timestamp()
    os.utime(next(tmp_path.rglob("old.jpg")), (long_ago, long_ago))
    activities = RetentionActivities(media, utc_now)
    environment = ActivityEnvironment()
    assert (await environment.run(activities.delete_old_media, Nothing())).files == 1
    assert [path.name for path in tmp_path.rglob("*.jpg")] == ["new.jpg"]
    assert (await environment.run(activities.delete_old_media, Nothing())).files == 0
