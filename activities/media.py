"""Files: the photo from Telegram, the result from KIE. Both are checked before anything relies on them."""

import asyncio
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog
from temporalio import activity

from activities import contracts
from activities.contracts import FetchResult, Nothing, OrderRef
from activities.failing import final, for_now, unreachable
from activities.open_orders import require_open
from clients.confined import Confined, ConfinedCutOff
from clients.kie import KieClient, KieError, KieNotSent
from clients.media import MediaError, MediaStorage, photo_key, video_key, view_key
from clients.opened import PHOTO_BYTES_MAX, MovieFacts, MovieRefused, PictureRefused, PreparedPhoto
from clients.results import ResultDownloader, ResultNotReached, ResultRefused, ResultUnavailable
from clients.telegram import (
    FileGone,
    FileTooLarge,
    TelegramBlocked,
    TelegramClient,
    TelegramError,
    TelegramNotSent,
    TelegramRateLimited,
    TelegramRefused,
    TelegramUnknown,
)
from domain.attempts import AttemptRow
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import Photo
from store.order_rows import OrderRow
from store.stores import Stores

_log = structlog.get_logger(__name__)

_VIEW_SECONDS_MAX: Final = 20.0  # four of them and the photo fit into one call


class MediaActivities:
    def __init__(
        self,
        telegram: TelegramClient,
        kie: KieClient,
        results: ResultDownloader,
        stores: Stores,
        media: MediaStorage,
        confined: Confined,
    ) -> None:
        self._telegram = telegram
        self._kie = kie
        self._results = results
        self._stores = stores
        self._media = media
        self._confined = confined

    @activity.defn(name=contracts.FETCH_PHOTO.name)
    async def fetch_photo(self, ref: OrderRef) -> Nothing:
        """Telegram's file address holds the bot token, so the photo is kept here, and no address leaves."""
        order = await self._stores.orders.read(ref.order_id)
        await require_open(self._stores.orders, order.id)
        if not order.photo_media_key:
            await self._keep_photo(order)
        if not order.view_media_keys:
            await self._keep_views(order)
        return Nothing()

    async def _keep_photo(self, order: OrderRow) -> None:
        prepared = await self._prepared(await self._download(order.photo.file_id))
        key = photo_key(order.id)
        await self._media.put(key, prepared.jpeg)
        await self._stores.orders.keep_photo(order.id, key, prepared.width, prepared.height)

    async def _keep_views(self, order: OrderRow) -> None:
        """One after the other: an opened picture takes as much memory as everything else here."""
        numbered = enumerate(order.views, start=1)
        kept = [await self._keep_view(view_key(order.id, number), view) for number, view in numbered]
        if keys := [key for key in kept if key]:
            await self._stores.orders.keep_views(order.id, keys)

    async def _keep_view(self, key: str, view: Photo) -> str | None:
        """A view only helps to know the product: without it the order goes on."""
        try:
            async with asyncio.timeout(_VIEW_SECONDS_MAX):
                content = await self._telegram.download(view.file_id, PHOTO_BYTES_MAX)
            prepared = await self._confined.prepare_photo(content)
            await self._media.put(key, prepared.jpeg)
        except (TelegramError, PictureRefused, ConfinedCutOff, MediaError, TimeoutError) as error:
            _log.warning("view left out", view=key, error=type(error).__name__)
            return None
        else:
            return key

    async def _download(self, file_id: str) -> bytes:
        try:
            return await self._telegram.download(file_id, PHOTO_BYTES_MAX)
        except FileTooLarge:
            raise _refused_photo(FailureReason.PHOTO_TOO_LARGE) from None
        except (FileGone, TelegramRefused, TelegramBlocked):
            raise _refused_photo(FailureReason.PHOTO_GONE) from None
        except TelegramRateLimited as limited:
            pause = timedelta(seconds=limited.retry_after_seconds)
            raise for_now(Failure(FailureClass.RATE_LIMIT, code="Telegram 429"), pause) from None
        except (TelegramNotSent, TelegramUnknown):
            raise unreachable("Telegram") from None

    async def _prepared(self, photo: bytes) -> PreparedPhoto:
        try:
            return await self._confined.prepare_photo(photo)
        except PictureRefused as refused:
            raise _refused_photo(refused.reason) from None

    @activity.defn(name=contracts.FETCH_RESULT.name)
    async def fetch_result(self, fetch: FetchResult) -> Nothing:
        """Fetch, check, remux only if needed, keep."""
        attempt = await self._stores.admission.attempt(fetch.attempt_id)
        video = await self._stores.videos.read(attempt.video_id)
        if video.result_media_key:
            return Nothing()
        with TemporaryDirectory() as folder:
            raw_path, path = Path(folder) / "raw.mp4", Path(folder) / "video.mp4"
            await self._download_result(attempt, raw_path, fresh_link=fetch.fresh_link)
            facts = await self._sendable(attempt, raw_path, path)
            key = video_key(video.id)
            await self._media.put(key, path)
        await self._stores.videos.keep_result(video.id, key, facts.width, facts.height, facts.seconds)
        return Nothing()

    async def _download_result(self, attempt: AttemptRow, path: Path, *, fresh_link: bool) -> None:
        url = attempt.result_urls[0]
        try:
            if fresh_link:
                url = await self._fresh_link(attempt, url)
            await self._results.download(url, path)
        except (ResultNotReached, KieNotSent):
            raise unreachable("KIE's files") from None
        except (ResultRefused, ResultUnavailable, KieError) as error:
            raise _broken_result(attempt, str(error)) from None

    async def _fresh_link(self, attempt: AttemptRow, url: str) -> str:
        key_id = await self._stores.accounts.pollable_key(attempt.account, attempt.key_id)
        return await self._kie.fresh_link(key_id or attempt.key_id, url)

    async def _sendable(self, attempt: AttemptRow, raw_path: Path, path: Path) -> MovieFacts:
        try:
            return await self._confined.make_sendable(raw_path, path)
        except MovieRefused as refused:
            raise _broken_result(attempt, refused.why) from None


def _broken_result(attempt: AttemptRow, code: str) -> Exception:
    return final(Failure(FailureClass.RESULT, code=code), attempt.id)


def _refused_photo(reason: FailureReason) -> Exception:
    return final(Failure(FailureClass.USER_VIOLATION, reason))
