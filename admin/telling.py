"""Tells the user of a deed at once: with the words and the rows of the workers, who do not repeat it then."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from temporalio.exceptions import ApplicationError

from activities.outcomes import OutcomeTeller
from admin.tools import Tools
from clients.telegram import TelegramClient
from clients.telegram_outcomes import TelegramError
from domain.clock import utc_now
from domain.ids import number_of_video
from domain.library import Cancellation
from domain.orders import Language, MessagePurpose
from store.library import Library
from store.order_story import OrderStory
from store.stores import Stores
from texts import order_cards

_CALL_SECONDS = 10.0


async def tell_refunded(tools: Tools, stores: Stores, story: OrderStory, video_ids: Sequence[str]) -> bool:
    """False where somebody was not told: housekeeping tells him, two minutes after the refund."""
    if story.order.tg_user_id is None:
        return True
    if not tools.settings.bot_token:
        return False
    async with _telegram(tools) as telegram:
        teller = OutcomeTeller(telegram, stores, None, tools.settings.support_contact)
        return all([await _told_of_failure(teller, stores, video_id) for video_id in video_ids])


async def _told_of_failure(teller: OutcomeTeller, stores: Stores, video_id: str) -> bool:
    video = await stores.videos.read(video_id)
    try:
        await teller.failed(video)
    except ApplicationError:  # what a worker is to try again
        return False
    return await teller.was_told(video.order_id, MessagePurpose.FAILURE, video.number)


async def tell_cancelled(tools: Tools, stores: Stores, story: OrderStory, done: Cancellation) -> bool:
    """False where it could not be told: the credits are back all the same, and the workflow tells it."""
    if not tools.settings.bot_token or story.order.tg_user_id is None:
        return False
    async with _telegram(tools) as telegram:
        if story.order.video_count > 1:
            return await _show_cancelled(telegram, tools, story, done)
        teller = OutcomeTeller(telegram, stores, None, tools.settings.support_contact)
        try:
            await teller.cancelled(await stores.orders.read(done.order_id))
        except ApplicationError:
            return False
        return await teller.was_told(done.order_id, MessagePurpose.CLOSING)


async def _show_cancelled(
    telegram: TelegramClient, tools: Tools, story: OrderStory, done: Cancellation
) -> bool:
    """In the placeholders of what was stopped; how the order ended its closing card says."""
    numbers = [number_of_video(video_id) for video_id in done.stopped_video_ids]
    shown = await Library(await tools.database(), utc_now).placeholders(done.order_id, numbers)
    return all(
        [
            await _show(telegram, story, number, message_id)
            for number, message_id in shown.items()
            if message_id
        ]
    )


async def _show(telegram: TelegramClient, story: OrderStory, number: int, message_id: int) -> bool:
    order = story.order
    card = order_cards.placeholder(Language(order.language), number, order.video_count, "cancelled", order.id)
    try:
        await telegram.edit_caption(order.tg_user_id or 0, message_id, card)
    except TelegramError:
        return False
    return True


@asynccontextmanager
async def _telegram(tools: Tools) -> AsyncIterator[TelegramClient]:
    telegram = TelegramClient(tools.settings.bot_token, tools.settings.telegram_api_base, _CALL_SECONDS)
    try:
        yield telegram
    finally:
        await telegram.close()
