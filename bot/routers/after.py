"""Buttons of orders that were placed: more, again, another photo."""

from aiogram import Router
from aiogram.types import CallbackQuery

from bot.changes import show_change
from bot.filters import Pressed
from bot.offers import priced
from bot.screens import drop_draft, offer, stale
from bot.states import Step
from bot.turn import Turn
from domain.actions import Action
from domain.orders import Origin
from store.drafts import DraftOffer
from store.orders import OrderSource
from texts import cards


def router() -> Router:
    router = Router(name="after")
    router.callback_query.register(more, Pressed(Action.MORE))
    router.callback_query.register(changed_again, Pressed(Action.CHANGED_AGAIN))
    router.callback_query.register(try_again, Pressed(Action.TRY_AGAIN))
    router.callback_query.register(another_photo, Pressed(Action.ANOTHER_PHOTO))
    return router


async def more(_: CallbackQuery, turn: Turn, argument: str) -> None:
    """A new confirm card; only its Generate charges."""
    source = await turn.parts.orders.source(argument, turn.user.tg_user_id)
    if source is None:
        await stale(turn)
        return
    wanted = _again(turn, source, argument, Origin.MORE, source.video_count)
    await offer(turn, wanted, joins_dialog=False)


async def changed_again(_: CallbackQuery, turn: Turn, argument: str) -> None:
    """A draft like that order, and at once what shall be different."""
    source = await turn.parts.orders.source(argument, turn.user.tg_user_id)
    if source is None:
        await stale(turn)
        return
    wanted = _again(turn, source, argument, Origin.MORE, source.video_count)
    await show_change(turn, await turn.parts.drafts.create(turn.user.id, wanted))


async def try_again(_: CallbackQuery, turn: Turn, argument: str) -> None:
    source = await turn.parts.orders.source(argument, turn.user.tg_user_id)
    if source is None or source.retryable_count == 0:
        await stale(turn)
        return
    wanted = _again(turn, source, argument, Origin.RETRY, source.retryable_count)
    await offer(turn, wanted, joins_dialog=False)


def _again(turn: Turn, source: OrderSource, order_id: str, origin: Origin, video_count: int) -> DraftOffer:
    again = DraftOffer(
        brief=source.brief,
        photo=source.photo,
        video_count=video_count,
        price_credits=turn.parts.price_credits,
        language=turn.language,
        options=source.options,
        views=source.views,
        origin=origin,
        source_order_id=order_id,
    )
    return priced(turn, again)


async def another_photo(_: CallbackQuery, turn: Turn, argument: str) -> None:
    source = await turn.parts.orders.source(argument, turn.user.tg_user_id)
    if source is None:
        await stale(turn)
        return
    await drop_draft(turn)
    data = turn.dialog.data.fresh().with_brief(source.brief, source.video_count, source.options)
    await turn.dialog.restart(Step.photo, data)
    await turn.say(cards.ask_photo(turn.language, brief_kept=True))
