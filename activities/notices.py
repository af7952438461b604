"""What people are told around a delivery: stages, the ring, failures, the closing card."""

from datetime import timedelta
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
from activities.failing import not_our_turn
from activities.orders import progress_of
from activities.outcomes import OutcomeTeller, key_of
from activities.sending import SendsOnce
from clients.media import MediaStorage
from clients.telegram import TelegramClient
from domain.failures import FailureClass
from domain.orders import MessagePurpose, MessageState, VideoState
from domain.waiting import WaitReason
from store.messages import MessageKey
from store.order_rows import OrderRow
from store.services import Outside
from store.stores import Stores
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
        self._orders = stores.orders
        self._videos = stores.videos
        self._messages = stores.messages
        self._once = SendsOnce(telegram, stores.messages)
        self._ledger = stores.ledger
        self._admission = stores.admission
        self._services = stores.services
        self._waiting_drafts = stores.waiting_drafts
        self._pacing = stores.pacing
        self._outcomes = OutcomeTeller(telegram, stores, media, support_contact)
        self._support_contact = support_contact

    @activity.defn(name=contracts.SHOW_STAGE.name)
    async def show_stage(self, show: ShowStage) -> Nothing:
        """Dropped rather than queued: a later stage, or the video itself, says more."""
        video = await self._videos.read(show.video_id)
        cancelled = video.state is VideoState.CANCELLED
        if cancelled and await self._outcomes.was_told(video.order_id, MessagePurpose.CLOSING):
            return Nothing()  # the card says more than the stage would
        if (cancelled or video.state is VideoState.OPEN) and video.chat_id is not None:
            stage = Stage.CANCELLED if cancelled else show.stage
            card = order_cards.placeholder(
                video.language, video.number, video.video_count, stage.value, video.order_id
            )
            if not cancelled and not await self._pacing.stage():
                return Nothing()
            await self._outcomes.show_placeholder(video, video.chat_id, card)
        return Nothing()

    @activity.defn(name=contracts.RING.name)
    async def ring(self, ref: VideoRef) -> Nothing:
        """Edits do not ring the phone; one short reply does. A restore may have refunded what had arrived."""
        video = await self._videos.read(ref.video_id)
        if not video.state.captured:
            return Nothing()
        delivery = await self._messages.find(key_of(video, MessagePurpose.DELIVERY))
        seen = delivery is not None and delivery.state is MessageState.SENT
        card = (
            order_cards.ready(video.language, video.number, video.video_count, video.id)
            if seen
            else order_cards.captured_unknown(video.language, video.id)
        )
        reply_to = delivery.message_id if delivery is not None else None
        await self._once.send_text(
            key_of(video, MessagePurpose.READY), video.chat_id, card, reply_to=reply_to
        )
        return Nothing()

    @activity.defn(name=contracts.TELL_FAILURE.name)
    async def tell_failure(self, ref: VideoRef) -> Nothing:
        """One of several says it in its own placeholder; the closing card rings for all of them."""
        video = await self._videos.read(ref.video_id)
        if video.chat_id is None or video.state.captured:
            return Nothing()
        await self._wait_for_turn(calls=2)
        await self._promise(video.user_id, video.order_id, video.failure_class)
        await self._outcomes.failed(video)
        return Nothing()

    @activity.defn(name=contracts.TELL_ORDER_FAILURE.name)
    async def tell_order_failure(self, ref: OrderRef) -> Nothing:
        """The order ended before anything was bought."""
        order = await self._orders.read(ref.order_id)
        if order.tg_user_id is None:
            return Nothing()
        await self._wait_for_turn(calls=2)
        await self._promise(order.user_id, order.id, order.failure_class)
        first = await self._videos.read((await self._videos.of_order(order.id))[0])
        short = order_cards.video_failed_caption(order.language, 1, 1)
        await self._outcomes.show_placeholder(first, order.tg_user_id, short)
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
        await self._outcomes.cancelled(order)
        return Nothing()

    @activity.defn(name=contracts.TELL_LONG_WAIT.name)
    async def tell_long_wait(self, tell: TellLongWait) -> OrderProgress:
        """One new sentence with the reason, silent; nothing when everything is closed by now."""
        progress = progress_of(await self._orders.progress(tell.order_id))
        if progress.closed:
            return progress
        order = await self._orders.read(tell.order_id)
        if order.tg_user_id is not None:
            await self._wait_for_turn()
            why = "outage" if tell.step == contracts.OUTAGE_STEP else await self._why_waiting(order)
            card = order_cards.long_wait(order.language, tell.step, why)
            key = MessageKey(order.id, MessagePurpose.LONG_WAIT, step=tell.step)
            await self._once.send_text(key, order.tg_user_id, card, silent=True)
        return progress

    @activity.defn(name=contracts.SEND_CLOSING_CARD.name)
    async def send_closing_card(self, ref: OrderRef) -> Nothing:
        """Silent unless something failed. An order that failed as a whole has been told so already."""
        order = await self._orders.read(ref.order_id)
        if order.tg_user_id is None or await self._outcomes.was_told(order.id, MessagePurpose.FAILURE):
            return Nothing()
        await self._wait_for_turn()
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

    async def _wait_for_turn(self, calls: int = 1) -> None:
        """A ring, and what a user has just asked for, does not wait: it goes first."""
        if wait_seconds := await self._pacing.notice(calls):
            raise not_our_turn("Telegram", timedelta(seconds=wait_seconds))

    async def _promise(self, user_id: int, order_id: str, failure_class: FailureClass | None) -> None:
        """What the text of this failure says: we write when the video service is back."""
        if failure_class is FailureClass.MODEL_UNAVAILABLE:
            await self._waiting_drafts.remember(user_id, order_id, WaitReason.MODEL_RESTS)

    async def _why_waiting(self, order: OrderRow) -> str:
        """The text of an outage speaks of the video service."""
        if any(each.service == Outside.KIE and each.down_since for each in await self._services.statuses()):
            return "outage"
        attempts = [
            len(await self._admission.attempts_of(video_id))
            for video_id in await self._videos.of_order(order.id)
        ]
        if any(count >= _SECOND_ATTEMPT for count in attempts):
            return "second_attempt"
        return "queue" if 0 in attempts else "slow"
