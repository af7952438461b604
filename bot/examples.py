"""The example picture of the templates: uploaded once, and from then on shown by Telegram's file id."""

import asyncio
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog

import texts
from bot.turn import Turn
from clients.telegram import TelegramBlocked, TelegramError, TelegramRefused
from domain.actions import Card

_log = structlog.get_logger()

_PICTURE: Final = Path(texts.__file__).parent / "examples" / "templates.jpg"


async def show_templates(turn: Turn, card: Card) -> None:
    """The card under the picture. A question without a picture is better than none."""
    try:
        await _show(turn, card)
    except TelegramBlocked:
        raise
    except TelegramError as error:
        _log.warning("example picture not shown", error=type(error).__name__)
        await turn.say(card)


async def _show(turn: Turn, card: Card) -> None:
    picture, name = await asyncio.to_thread(_picture)
    file_id = await turn.parts.shown_files.file_id(name)
    if file_id is None or not await _shown_by_id(turn, file_id, card):
        sent = await turn.show(picture, card)
        if sent.photo_file_id:
            await turn.parts.shown_files.keep(name, sent.photo_file_id)


async def _shown_by_id(turn: Turn, file_id: str, card: Card) -> bool:
    """False where Telegram does not know the file: another bot uploaded it, or it is gone."""
    try:
        await turn.show(file_id, card)
    except TelegramRefused:
        return False
    return True


@cache
def _picture() -> tuple[bytes, str]:
    """Another picture is another name: the file id of the one before shows the one before."""
    content = _PICTURE.read_bytes()
    return content, f"templates-{sha256(content).hexdigest()[:16]}"
