"""How a user is told that a video will not come. Of workers, and of an operator's command line."""

import structlog

from activities.sending import SendsOnce
from clients.media import MediaStorage
from clients.telegram import (
    TelegramBlocked,
    TelegramClient,
    TelegramError,
    TelegramNotSent,
    TelegramRefused,
)
from domain.actions import Card
from domain.failures import FailureClass
from domain.orders import MessagePurpose, MessageState
from store.messages import MessageKey
from store.order_rows import OrderRow
from store.stores import Stores
from store.videos import VideoRow
from texts import order_cards

_log = structlog.get_logger(__name__)
_FOR_GOOD = (TelegramRefused, TelegramBlocked)


class OutcomeTeller:
    """Asked twice, it tells once. Raise ApplicationError where Telegram is to be tried again.

    Without `media` a photo is sent only where Telegram has it.
    """

    def __init__(
        self, telegram: TelegramClient, stores: Stores, media: MediaStorage | None, support_contact: str
    ) -> None:
        self._telegram = telegram
        self._orders = stores.orders
        self._videos = stores.videos
        self._messages = stores.messages
        self._ledger = stores.ledger
        self._media = media
        self._support_contact = support_contact
        self._once = SendsOnce(telegram, stores.messages)

    async def failed(self, video: VideoRow) -> None:
        """One of several says it in its own placeholder; the closing card rings for all of them."""
        if video.chat_id is None or video.state.captured:
            return
        card = await self._failure_card(video, video.chat_id)
        if video.video_count > 1:
            await self._failed_one_of_several(video, video.chat_id, card)
            return
        short = order_cards.video_failed_caption(video.language, video.number, video.video_count)
        await self.show_placeholder(video, video.chat_id, short)
        placeholder = await self._messages.find(key_of(video, MessagePurpose.PLACEHOLDER))
        reply_to = placeholder.message_id if placeholder else None
        await self._once.send_text(
            key_of(video, MessagePurpose.FAILURE), video.chat_id, card, reply_to=reply_to
        )

    async def cancelled(self, order: OrderRow) -> None:
        """An order of one has no closing card to say it."""
        if order.tg_user_id is None or await self.was_told(order.id, MessagePurpose.CLOSING):
            return
        balance = await self._ledger.balance(order.tg_user_id)
        card = order_cards.cancelled(
            order.language, await self._orders.refunded_credits(order.id), balance.available
        )
        first = await self._videos.read((await self._videos.of_order(order.id))[0])
        await self.show_placeholder(first, order.tg_user_id, Card(card.text))
        await self._once.send_text(MessageKey(order.id, MessagePurpose.CLOSING), order.tg_user_id, card)

    async def was_told(self, order_id: str, purpose: MessagePurpose, video_number: int = 0) -> bool:
        """As far as anybody knows; a message that was refused is still owed."""
        message = await self._messages.find(MessageKey(order_id, purpose, video_number))
        return message is not None and message.state is not MessageState.REFUSED

    async def show_placeholder(self, video: VideoRow, chat_id: int, card: Card) -> TelegramError | None:
        """Edit it; a copy that is not there yet is sent first, silently, and at most once."""
        key = key_of(video, MessagePurpose.PLACEHOLDER)
        placeholder = await self._messages.find(key)
        try:
            if placeholder is None or placeholder.state is MessageState.REFUSED:
                await self._once.send_photo(key, chat_id, await self._photo(video), card)
            elif placeholder.state is MessageState.SENT and placeholder.message_id is not None:
                await self._telegram.edit_caption(chat_id, placeholder.message_id, card)
        except TelegramError as error:
            _log.info("placeholder not shown", video_id=video.id, error=type(error).__name__)
            return error
        return None

    async def _photo(self, video: VideoRow) -> str | bytes:
        if video.card_file_id:
            return video.card_file_id
        if self._media is None:
            raise TelegramNotSent("the photo is not at hand")
        return await self._media.get(video.photo_media_key or "")

    async def _failed_one_of_several(self, video: VideoRow, chat_id: int, card: Card) -> None:
        """The row says that it was told, or that it cannot be; without one housekeeping tells it."""
        error = await self.show_placeholder(video, chat_id, Card(card.text))
        if error is None or isinstance(error, _FOR_GOOD):
            key = key_of(video, MessagePurpose.FAILURE)
            await self._messages.begin(key, chat_id)
            await self._messages.finish(key, MessageState.REFUSED if error else MessageState.SENT)

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


def key_of(video: VideoRow, purpose: MessagePurpose) -> MessageKey:
    return MessageKey(video.order_id, purpose, video.number)
