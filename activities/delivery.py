"""Delivering a video: edit the placeholder into it, look before sending again, never send twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from temporalio import activity

from activities import contracts
from activities.contracts import ResendVideo, SendOutcome, SendResult, VideoRef
from activities.failing import already_settled
from clients.media import MediaMissing, MediaStorage, MediaUnavailable
from clients.telegram import (
    MessageGone,
    SentMessage,
    TelegramBlocked,
    TelegramClient,
    TelegramNotSent,
    TelegramRateLimited,
    TelegramRefused,
    TelegramUnknown,
)
from domain import ids
from domain.actions import Button, Card
from domain.orders import MessagePurpose, MessageState, VideoState
from domain.provider_words import provider_words
from store.messages import MessageKey, MessageRow
from store.stores import Stores
from store.videos import AlreadySettled, UnknownVideo, VideoRow
from texts.order_cards import delivered

_RESENDS_MAX: Final = 50


class DeliveryActivities:
    def __init__(self, telegram: TelegramClient, stores: Stores, media: MediaStorage) -> None:
        self._telegram = telegram
        self._videos = stores.videos
        self._messages = stores.messages
        self._media = media

    @activity.defn(name=contracts.SEND_VIDEO.name)
    async def send_video(self, ref: VideoRef) -> SendResult:
        """One try. What an earlier try may have done is looked at first."""
        try:
            video = await self._videos.begin_delivery(ref.video_id)
        except AlreadySettled:
            raise already_settled() from None
        return await self._deliver(video, _delivery_key(video))

    @activity.defn(name=contracts.RESEND_VIDEO.name)
    async def resend_video(self, resend: ResendVideo) -> SendResult:
        """A video that waits for its user, or of which nobody knows that it arrived: as a new message.

        Two may ask for it at once, who unblocked the bot and the sweeper: the second finds it delivered.
        What was asked for before a restore may have arrived since: it has to be asked for once more.
        """
        try:
            video = await self._videos.read(resend.video_id)
        except UnknownVideo:
            raise already_settled() from None
        unseen = video.state is VideoState.DELIVERED and not video.telegram_file_id
        if video.chat_id is None or not (unseen or video.state is VideoState.WAITING):
            raise already_settled()
        if not video.may_be_resent:
            raise already_settled("nobody has asked for it since the database was restored")
        result = await self._resend_once(video, resend.run_id)
        if result.outcome is SendOutcome.SENT:
            await self._videos.mark_delivered(video.id)
        return result

    async def _resend_once(self, video: VideoRow, run_id: str) -> SendResult:
        """What was sent, by whichever run, is not sent again, nor what this run may have sent."""
        earlier = await self._resends(video)
        if any(each.state is MessageState.SENT for each in earlier):
            return SendResult(outcome=SendOutcome.SENT)
        refused = [step for step, each in enumerate(earlier, start=1) if each.state is MessageState.REFUSED]
        step = next(iter(refused), len(earlier) + 1)
        may_be_there = any(
            each.nonce == run_id and each.state is not MessageState.REFUSED for each in earlier
        )
        if may_be_there or step > _RESENDS_MAX:
            return SendResult(outcome=SendOutcome.UNKNOWN)
        return await self._send(video, _delivery_key(video, step), target=None, nonce=run_id)

    async def _resends(self, video: VideoRow) -> list[MessageRow]:
        """Step by step, as far as there are any."""
        found: list[MessageRow] = []
        while len(found) < _RESENDS_MAX:
            row = await self._messages.find(_delivery_key(video, len(found) + 1))
            if row is None:
                break
            found.append(row)
        return found

    async def _deliver(self, video: VideoRow, key: MessageKey) -> SendResult:
        if video.chat_id is None:
            return SendResult(outcome=SendOutcome.BLOCKED)  # the person is forgotten
        earlier = await self._messages.find(key)
        if earlier is not None and earlier.state in {MessageState.SENDING, MessageState.UNKNOWN}:
            seen = await self._look(video, key, earlier)
            if seen is not None:
                return seen
        elif earlier is not None and earlier.state is MessageState.SENT:
            return SendResult(outcome=SendOutcome.SENT)
        return await self._send(video, key, await self._placeholder_of(video))

    async def _look(self, video: VideoRow, key: MessageKey, earlier: MessageRow) -> SendResult | None:
        """After an edit without an answer, editing only the buttons shows what the message holds.

        None: the edit was not applied. A new message cannot be looked at: it may be there, and is never
        sent again.
        """
        if earlier.message_id is None:
            await self._messages.finish(key, MessageState.UNKNOWN)
            return SendResult(outcome=SendOutcome.UNKNOWN)
        try:
            message = await self._telegram.edit_buttons(
                earlier.chat_id, earlier.message_id, _rows_with_nonce(video, ids.new_nonce())
            )
        except MessageGone:
            return None
        except (TelegramNotSent, TelegramUnknown, TelegramRateLimited) as error:
            return SendResult(
                outcome=SendOutcome.UNCONFIRMED,
                retry_after_seconds=getattr(error, "retry_after_seconds", 0.0),
            )
        except TelegramBlocked:
            # The edit may have been applied before he blocked the bot: never a second copy.
            await self._messages.finish(key, MessageState.UNKNOWN)
            return SendResult(outcome=SendOutcome.UNKNOWN)
        except TelegramRefused:
            return None
        if not message.holds_video:
            return None
        return await self._sent(video, key, message)

    async def _send(
        self, video: VideoRow, key: MessageKey, target: int | None, nonce: str = ""
    ) -> SendResult:
        """The file is at hand before SENDING is committed: a storage that fails has sent nothing."""
        try:
            async with self._source(video) as source:
                return await self._send_file(video, key, target, source, nonce or ids.new_nonce())
        except MediaUnavailable:
            return SendResult(outcome=SendOutcome.NOT_SENT)
        except MediaMissing:
            refused = await self._videos.count_refused_send(video.id)
            return SendResult(outcome=SendOutcome.REFUSED, refused_count=refused)

    async def _send_file(
        self, video: VideoRow, key: MessageKey, target: int | None, source: str | Path, nonce: str
    ) -> SendResult:
        await self._messages.restart(key, video.chat_id or 0, target, nonce)
        try:
            message = await self._call(video, target, source)
        except MessageGone:
            await self._messages.finish(_placeholder_key(video), MessageState.REFUSED)
            return await self._send_file(video, key, None, source, nonce)
        except TelegramBlocked:
            return await self._blocked(key)
        except TelegramRateLimited as limited:
            await self._messages.finish(key, MessageState.REFUSED)
            return SendResult(
                outcome=SendOutcome.RATE_LIMITED, retry_after_seconds=limited.retry_after_seconds
            )
        except TelegramNotSent:
            await self._messages.finish(key, MessageState.REFUSED)
            return SendResult(outcome=SendOutcome.NOT_SENT)
        except TelegramRefused as error:
            await self._messages.finish(key, MessageState.REFUSED)
            refused = await self._videos.count_refused_send(video.id)
            said = provider_words(str(error))
            return SendResult(outcome=SendOutcome.REFUSED, refused_count=refused, said=said)
        except TelegramUnknown:
            return await self._unanswered(key, target)
        return await self._sent(video, key, message)

    async def _call(self, video: VideoRow, target: int | None, source: str | Path) -> SentMessage:
        chat_id, card = video.chat_id or 0, delivered_card(video)
        size = (video.result_width, video.result_height, video.result_seconds)
        if target is None:
            return await self._telegram.send_video(chat_id, source, *size, card, silent=True)
        return await self._telegram.edit_to_video(chat_id, target, source, *size, card)

    @asynccontextmanager
    async def _source(self, video: VideoRow) -> AsyncIterator[str | Path]:
        """Telegram's own id of the file once there is one, else the file."""
        if video.telegram_file_id:
            yield video.telegram_file_id
            return
        with TemporaryDirectory() as folder:
            path = Path(folder) / "video.mp4"
            await self._media.get_to_file(video.result_media_key or "", path)
            yield path

    async def _placeholder_of(self, video: VideoRow) -> int | None:
        placeholder = await self._messages.find(_placeholder_key(video))
        usable = placeholder is not None and placeholder.state is MessageState.SENT
        return placeholder.message_id if placeholder is not None and usable else None

    async def _sent(self, video: VideoRow, key: MessageKey, message: SentMessage) -> SendResult:
        if message.video_file_id:
            await self._videos.keep_file_id(video.id, message.video_file_id)
        await self._messages.finish(key, MessageState.SENT, message.message_id)
        return SendResult(outcome=SendOutcome.SENT)

    async def _blocked(self, key: MessageKey) -> SendResult:
        await self._messages.finish(key, MessageState.REFUSED)
        return SendResult(outcome=SendOutcome.BLOCKED)

    async def _unanswered(self, key: MessageKey, target: int | None) -> SendResult:
        if target is not None:
            return SendResult(outcome=SendOutcome.UNCONFIRMED)
        await self._messages.finish(key, MessageState.UNKNOWN)
        return SendResult(outcome=SendOutcome.UNKNOWN)


def delivered_card(video: VideoRow) -> Card:
    return delivered(video.language, video.number, video.video_count, video.order_id, video.rating)


def _rows_with_nonce(video: VideoRow, nonce: str) -> tuple[tuple[Button, ...], ...]:
    """The delivered buttons, one of them with a nonce, so that the edit is never `not modified`."""
    (first, *others), *rows = delivered_card(video).rows
    marked = Button(first.label, first.action, first.argument, nonce)
    return ((marked, *others), *rows)


def _delivery_key(video: VideoRow, step: int = 0) -> MessageKey:
    return MessageKey(video.order_id, MessagePurpose.DELIVERY, video.number, step)


def _placeholder_key(video: VideoRow) -> MessageKey:
    return MessageKey(video.order_id, MessagePurpose.PLACEHOLDER, video.number)
