"""Generate: the one button that spends credits."""

import asyncio
import time
from dataclasses import replace
from typing import Final

import structlog
from aiogram import Router
from aiogram.types import CallbackQuery

from bot import busy, terms
from bot.filters import Pressed
from bot.limits import say_too_many
from bot.middleware import OWN_ANSWER
from bot.parts import BotParts
from bot.screens import affordable_count, buying_draft, offer, stale
from bot.turn import Turn
from domain.actions import Action
from store.drafts import Draft
from store.orders import Placement, PlacementKind
from telemetry import tracing
from texts import cards, label, order_cards
from workflows.start import TemporalUnavailable

_TOO_MANY: Final = (PlacementKind.TOO_MANY_OPEN, PlacementKind.TOO_MANY_TODAY)

_log = structlog.get_logger()


def router() -> Router:
    router = Router(name="buying")
    router.callback_query.register(generate, Pressed(Action.GENERATE), flags={OWN_ANSWER: True})
    router.callback_query.register(make_fewer, Pressed(Action.MAKE_FEWER))
    return router


async def generate(query: CallbackQuery, turn: Turn, argument: str) -> None:
    """Commit first, then tell, then start: Temporal may be away, the order is not."""
    message_id, began_ns = query.message.message_id if query.message else None, time.time_ns()
    if await busy.kept_waiting(turn, argument):
        await turn.acknowledge(query.id)
        return
    placement = await turn.parts.orders.place(argument, turn.user.tg_user_id, message_id, turn.parts.shop)
    if placement.kind is PlacementKind.PLACED:
        with tracing.tap(placement.order_id, began_ns):
            await _accepted(query, turn, placement, message_id)
        await terms.accept(turn)
    elif placement.kind is PlacementKind.ALREADY_PLACED:
        await turn.acknowledge(query.id, label(turn.language, "toast-accepted"))
        await turn.dialog.leave(argument)
        await terms.accept(turn)
    else:
        await turn.acknowledge(query.id)
        await _refused(turn, placement)


async def _accepted(query: CallbackQuery, turn: Turn, placement: Placement, message_id: int | None) -> None:
    minutes = await busy.noted_minutes(turn, placement.video_count)
    _log.info("order accepted", videos=placement.video_count)
    card = order_cards.accepted(turn.language, placement.order_id, placement.video_count, minutes)
    told = [turn.acknowledge(query.id, label(turn.language, "toast-accepted"))]
    if message_id is not None:
        told.append(turn.accept(message_id, card))
    await asyncio.gather(*told)
    turn.parts.background.run_in_turn(lambda: start(turn.parts, placement.order_id))
    await turn.dialog.leave(placement.order_id)


async def start(parts: BotParts, order_id: str) -> None:
    try:
        await parts.starter.start_order(order_id)
    except TemporalUnavailable:
        _log.warning("order waits for the sweeper", order_id=order_id)
        return
    await parts.orders.mark_started(order_id)
    _log.info("order started", order_id=order_id)


async def _refused(turn: Turn, placement: Placement) -> None:
    if placement.kind in _TOO_MANY:
        await say_too_many(turn, placement)
        return
    draft = await turn.parts.drafts.get(placement.order_id, turn.user.tg_user_id)
    if placement.kind is PlacementKind.NOT_ENOUGH and draft is not None:
        await _not_enough(turn, draft, placement.available)
    else:
        await stale(turn)


async def _not_enough(turn: Turn, draft: Draft, available: int) -> None:
    """The draft stays: after a top-up the same Generate buys it."""
    wanted = draft.offer
    needed = wanted.price_credits * wanted.video_count
    count = affordable_count(available, wanted.price_credits, wanted.video_count)
    await turn.say(cards.not_enough_credits(turn.language, available, needed, count, draft.id))


async def make_fewer(_: CallbackQuery, turn: Turn, argument: str) -> None:
    draft = await buying_draft(turn, argument)
    if draft is None:
        await stale(turn)
        return
    wallet = await turn.parts.ledger.balance(turn.user.tg_user_id)
    count = affordable_count(wallet.available, draft.offer.price_credits, draft.offer.video_count)
    if count == 0:
        await _not_enough(turn, draft, wallet.available)
        return
    await offer(turn, replace(draft.offer, video_count=count), joins_dialog=False)
