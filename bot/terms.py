"""The terms, accepted with the first order."""

from bot.turn import Turn


async def note(turn: Turn) -> str:  # noqa: ARG001 - the line for whoever has not accepted them yet
    """The line on the confirm card; empty where there is nothing to say."""
    return ""
