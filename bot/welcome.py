"""Somebody is back: he hears of the videos that waited for him, and gets them."""

import asyncio
from typing import Final

import structlog

from bot.parts import BotParts
from bot.turn import Turn
from domain import ids
from telemetry import tracing
from texts import order_cards
from workflows.start import TemporalUnavailable

_log = structlog.get_logger()

_RESEND_TRIES_MAX: Final = 60
_RESEND_PAUSE_SECONDS: Final = 5.0


async def welcome_back(turn: Turn) -> None:
    """`/start` and the unblocking arrive together: he is told once, each video is sent once."""
    if turn.user.blocked:
        await turn.parts.users.mark_unblocked(turn.user.tg_user_id)
    waiting = await turn.parts.videos.waiting_for(turn.user.tg_user_id)
    if set(waiting) - set(turn.dialog.data.told_video_ids):
        await turn.say(order_cards.waiting_videos(turn.language, len(waiting)))
        await turn.dialog.remember_told(tuple(waiting))
    for video_id in waiting:
        turn.parts.background.run(resend(turn.parts, video_id))


async def resend(parts: BotParts, video_id: str) -> None:
    """Keep asking while Temporal is away; the next `/start` asks again in any case."""
    await parts.videos.ask_resend(video_id)
    for _ in range(_RESEND_TRIES_MAX):
        try:
            with tracing.of_order(ids.order_id_of_video(video_id)):
                await parts.starter.resend(video_id)
        except TemporalUnavailable:
            await asyncio.sleep(_RESEND_PAUSE_SECONDS * parts.time_scale)
        else:
            return
    _log.warning("waiting video was not sent", video_id=video_id)
