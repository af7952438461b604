"""Busy evenings: how long an order would wait, and what happens when that is too long."""

from bot.turn import Turn


async def note(turn: Turn, video_count: int) -> str:  # noqa: ARG001 - the line about a long wait
    """The line on the confirm card; empty where there is nothing to say."""
    return ""
