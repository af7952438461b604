"""The bot as a whole: a dispatcher made of the routers, and the loops around it."""

import asyncio
from datetime import timedelta
from typing import Final

from aiogram import Dispatcher

from bot.albums import COLLECT_SECONDS, AlbumCollector
from bot.alerting import PASSED_OVER_SECONDS, tell_passed_over
from bot.commands import register_commands
from bot.description import describe_bot
from bot.feeder import Feeder
from bot.forget import Forgotten
from bot.groups import PrivateChatsOnly
from bot.limits import Throttle
from bot.loops import forever
from bot.middleware import Acknowledge, Apologies, TurnMiddleware
from bot.parts import BotParts
from bot.payments_reading import READ_SECONDS, PaymentsReader
from bot.payments_received import MoneyFirst
from bot.payments_refunds import REFUND_SECONDS, RefundOutbox
from bot.routers import root_router
from bot.sweeper import SWEEP_SECONDS, Sweeper
from bot.waiting import TELL_SECONDS, WaitingTeller

_TIDY_SECONDS: Final = 3_600.0
_MEMORY: Final = timedelta(days=2)
_GOODBYE_SECONDS: Final = 5.0


def build_dispatcher(parts: BotParts) -> Dispatcher:
    """Errors outermost (aiogram's own), then payments, then private chats only, pace, who is gone, person."""
    dispatcher = Dispatcher(disable_fsm=True)  # the dialog is read once, with the person
    dispatcher.errors.register(Apologies(parts).handle)
    dispatcher.update.outer_middleware(MoneyFirst(parts))
    dispatcher.update.outer_middleware(PrivateChatsOnly(parts))
    dispatcher.update.outer_middleware(Throttle(parts))
    dispatcher.update.outer_middleware(Forgotten(parts))
    dispatcher.update.outer_middleware(TurnMiddleware(parts))
    dispatcher.callback_query.middleware(Acknowledge(parts))
    dispatcher.include_router(root_router())
    return dispatcher


def build_feeder(parts: BotParts) -> Feeder:
    return Feeder(parts, build_dispatcher(parts))


async def run_loops(parts: BotParts, feeder: Feeder) -> None:
    """What a bot does besides updates."""
    collector, sweeper = AlbumCollector(parts, feeder), Sweeper(parts)
    scale = parts.time_scale
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(register_commands(parts))
            group.create_task(describe_bot(parts))
            group.create_task(forever("albums", collector.collect, COLLECT_SECONDS * scale))
            group.create_task(forever("sweeper", sweeper.sweep, SWEEP_SECONDS * scale))
            group.create_task(forever("waiting videos", sweeper.sweep_waiting, SWEEP_SECONDS * scale))
            waiting = WaitingTeller(parts, feeder)
            group.create_task(forever("waiting", waiting.tell, TELL_SECONDS * scale))
            group.create_task(forever("refunds", RefundOutbox(parts).empty, REFUND_SECONDS * scale))
            reader = PaymentsReader(parts)
            group.create_task(forever("payments", reader.read_daily, READ_SECONDS * scale))
            group.create_task(forever("alerts", lambda: tell_passed_over(parts), PASSED_OVER_SECONDS))
            renew_seconds = parts.updates.lease.total_seconds() / 3
            group.create_task(forever("leases", feeder.renew_leases, renew_seconds))
            group.create_task(forever("tidying", lambda: _tidy(parts), _TIDY_SECONDS))
    finally:
        await parts.background.finish(_GOODBYE_SECONDS)


async def _tidy(parts: BotParts) -> None:
    await parts.updates.forget(_MEMORY)
    await parts.limits.forget(_MEMORY)
    await parts.albums.forget(_MEMORY)
