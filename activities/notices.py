"""What people are told around a delivery: stages, the ring, failures, the closing card."""

from typing import Final

import structlog
from temporalio import activity

from activities import contracts
from activities.contracts import (
    Nothing,
    OrderProgress,
    OrderRef,
    ShowStage,
    Stage,
    TellLongWait,
    VideoRef,
)
from activities.orders import progress_of
from activities.sending import SendsOnce
from clients.media import MediaStorage
from clients.telegram import TelegramClient, TelegramError
from domain.actions import Card
from domain.failures import FailureClass
from domain.orders import MessagePurpose, MessageState, VideoState
from domain.waiting import WaitReason
from store.messages import MessageKey
from store.orders import OrderRow
from store.stores import Stores
from store.videos import VideoRow
from texts import order_cards

_log = structlog.get_logger(__name__)

_SECOND_ATTEMPT: Final = 2


class NoticeActivities:
    def __init__(
        self,
        telegram: TelegramClient,
        stores: Stores,
        media: MediaStorage,
        *,
        support_contact: str,
    ) -> None:
        self._telegram = telegram
        self._orders = stores.orders
        self._videos = stores.videos
        self._messages = stores.messages
        self._once = SendsOnce(telegram, stores.messages)
        self._ledger = stores.ledger
        self._admission = stores.admission
        self._services = stores.services
        self._waiting_drafts = stores.waiting_drafts
        self._media = media
        self._support_contact = support_contact

    @activity.defn(name=contracts.SHOW_STAGE.name)
    async def show_stage(self, show: ShowStage) -> Nothing:
        """Dropped rather than queued: a later stage, or the video itself, says more."""
        video = await self._videos.read(show.video_id)
        if video.state in {VideoState.OPEN, VideoState.CANCELLED} and video.chat_id is not None:
            stage = Stage.CANCELLED if video.state is VideoState.CANCELLED else show.stage
            card = order_cards.placeholder(
                video.language, video.number, video.video_count, stage.value, video.order_id
            )
            await self._show_placeholder(video, video.chat_id, card)
        return Nothing()

    @activity.defn(name=contracts.RING.name)
    async def ring(self, ref: VideoRef) -> Nothing:
        """Edits do not ring the phone; one short reply does."""
        video = await self._videos.read(ref.video_id)
        delivery = await self._messages.find(_key(video, MessagePurpose.DELIVERY))
        seen = delivery is not None and delivery.state is MessageState.SENT
        card = (
            order_cards.ready(video.language, video.number, video.video_count, video.id)
            if seen
            else order_cards.captured_unknown(video.language, video.id)
        )
        reply_to = delivery.message_id if delivery is not None else None
        await self._once.send_text(_key(video, MessagePurpose.READY), video.chat_id, card, reply_to=reply_to)
        return Nothing()

    @activity.defn(name=contracts.TELL_FAILURE.name)
    async def tell_failure(self, ref: VideoRef) -> Nothing:
        """One of several says it in its own placeholder; the closing card rings for all of them."""
        video = await self._videos.read(ref.video_id)
        if video.chat_id is None:
            return Nothing()
        await self._promise(video.user_id, video.order_id, video.failure_class)
        card = await self._failure_card(video, video.chat_id)
        if video.video_count > 1:
            await self._show_placeholder(video, video.chat_id, Card(card.text))
            return Nothing()
        short = order_cards.video_failed_caption(video.language, video.number, video.video_count)
        await self._show_placeholder(video, video.chat_id, short)
        placeholder = await self._messages.find(_key(video, MessagePurpose.PLACEHOLDER))
        reply_to = placeholder.message_id if placeholder else None
        await self._once.send_text(
            _key(video, MessagePurpose.FAILURE), video.chat_id, card, reply_to=reply_to
        )
        return Nothing()

    @activity.defn(name=contracts.TELL_ORDER_FAILURE.name)
    async def tell_order_failure(self, ref: OrderRef) -> Nothing:
        """The order ended before anything was bought."""
        order = await self._orders.read(ref.order_id)
        if order.tg_user_id is None:
            return Nothing()
        await self._promise(order.user_id, order.id, order.failure_class)
        first = await self._videos.read((await self._videos.of_order(order.id))[0])
        short = order_cards.video_failed_caption(order.language, 1, 1)
        await self._show_placeholder(first, order.tg_user_id, short)
        balance = await self._ledger.balance(order.tg_user_id)
        card = order_cards.video_failed(
            order.language,
            order.failure_class or FailureClass.UNKNOWN,
            order.failure_reason,
            credits_back=await self._orders.refunded_credits(order.id),
            balance=balance.available,
            order_id=order.id,
            support_contact=self._support_contact,
        )
        await self._once.send_text(MessageKey(order.id, MessagePurpose.FAILURE), order.tg_user_id, card)
        return Nothing()

    @activity.defn(name=contracts.TELL_CANCELLED.name)
    async def tell_cancelled(self, ref: OrderRef) -> Nothing:
        """An order of one has no closing card to say it."""
        order = await self._orders.read(ref.order_id)
        if order.tg_user_id is None:
            return Nothing()
        balance = await self._ledger.balance(order.tg_user_id)
        card = order_cards.cancelled(
            order.language, await self._orders.refunded_credits(order.id), balance.available
        )
        first = await self._videos.read((await self._videos.of_order(order.id))[0])
        await self._show_placeholder(first, order.tg_user_id, Card(card.text))
        await self._once.send_text(MessageKey(order.id, MessagePurpose.CLOSING), order.tg_user_id, card)
        return Nothing()

    @activity.defn(name=contracts.TELL_LONG_WAIT.name)
    async def tell_long_wait(self, tell: TellLongWait) -> OrderProgress:
        """One new sentence with the reason, silent; nothing when everything is closed by now."""
        progress = progress_of(await self._orders.progress(tell.order_id))
        order = await self._orders.read(tell.order_id)
        if not progress.closed and order.tg_user_id is not None:
            why = "outage" if tell.step == contracts.OUTAGE_STEP else await self._why_waiting(order)
            card = order_cards.long_wait(order.language, tell.step, why)
            key = MessageKey(order.id, MessagePurpose.LONG_WAIT, step=tell.step)
            await self._once.send_text(key, order.tg_user_id, card, silent=True)
        return progress

    @activity.defn(name=contracts.SEND_CLOSING_CARD.name)
    async def send_closing_card(self, ref: OrderRef) -> Nothing:
        """Silent unless something failed."""
        order = await self._orders.read(ref.order_id)
        if order.tg_user_id is None:
            return Nothing()
        progress = await self._orders.progress(order.id)
        card = order_cards.closing(
            order.language,
            delivered=progress.delivered,
            waiting=progress.waiting,
            failed=progress.failed,
            cancelled=progress.cancelled,
            credits_back=await self._orders.refunded_credits(order.id),
            balance=(await self._ledger.balance(order.tg_user_id)).available,
            order_id=order.id,
            offers_try_again=await self._orders.retryable_count(order.id) > 0,
        )
        key = MessageKey(order.id, MessagePurpose.CLOSING)
        await self._once.send_text(key, order.tg_user_id, card, silent=progress.failed == 0)
        return Nothing()

    async def _promise(self, user_id: int, order_id: str, failure_class: FailureClass | None) -> None:
        """What the text of this failure says: we write when the video service is back."""
        if failure_class is FailureClass.MODEL_UNAVAILABLE:
            await self._waiting_drafts.remember(user_id, order_id, WaitReason.MODEL_RESTS)

    async def _failure_card(self, video: VideoRow, chat_id: int) -> Card:
        balance = await self._ledger.balance(chat_id)
        return order_cards.video_failed(
            video.language,
            video.failure_class or FailureClass.UNKNOWN,
            video.failure_reason,
            credits_back=video.price_credits,
            balance=balance.available,
            order_id=video.order_id,
            support_contact=self._support_contact,
            number=video.number,
            count=video.video_count,
        )

    async def _why_waiting(self, order: OrderRow) -> str:
        if any(status.down_since for status in await self._services.statuses()):
            return "outage"
        attempts = [
            len(await self._admission.attempts_of(video_id))
            for video_id in await self._videos.of_order(order.id)
        ]
        if any(count >= _SECOND_ATTEMPT for count in attempts):
            return "second_attempt"
        return "queue" if 0 in attempts else "slow"

    async def _show_placeholder(self, video: VideoRow, chat_id: int, card: Card) -> None:
        """Edit it; a copy that is not there yet is sent first, silently, and at most once."""
        key = _key(video, MessagePurpose.PLACEHOLDER)
        placeholder = await self._messages.find(key)
        try:
            if placeholder is None:
                photo = video.card_file_id or await self._media.get(video.photo_media_key or "")
                await self._once.send_photo(key, chat_id, photo, card)
            elif placeholder.state is MessageState.SENT and placeholder.message_id is not None:
                await self._telegram.edit_caption(chat_id, placeholder.message_id, card)
        except TelegramError as error:
            _log.info("stage not shown", video_id=video.id, error=type(error).__name__)


def _key(video: VideoRow, purpose: MessagePurpose) -> MessageKey:
    return MessageKey(video.order_id, purpose, video.number)
