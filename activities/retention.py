"""Photos and videos are kept for thirty days, as /privacy promises."""

from datetime import timedelta
from typing import Final

from temporalio import activity

from activities import contracts
from activities.contracts import DeletedMedia, Nothing
from clients.media import MediaStorage
from domain.clock import Clock
from store.videos import Videos

MEDIA_KEPT: Final = timedelta(days=30)


class RetentionActivities:
    def __init__(self, media: MediaStorage, videos: Videos, clock: Clock) -> None:
        self._media = media
        self._videos = videos
        self._clock = clock

    @activity.defn(name=contracts.DELETE_OLD_MEDIA.name)
    async def delete_old_media(self, _: Nothing) -> DeletedMedia:
        """A video that waits for its user was paid for: it stays until he has it."""
        kept = await self._videos.waiting_media()
        return DeletedMedia(files=await self._media.delete_older_than(self._clock() - MEDIA_KEPT, kept))
