"""The parts of an album go on together, once nothing more of it comes."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from bot.feeder import Feeder
from bot.middleware import DATABASE_AWAY
from bot.parts import BotParts
from bot.pictures import Picture, receive, receive_album
from bot.turn import begin_turn
from store.albums import Album

_log = structlog.get_logger()

COLLECT_SECONDS: Final = 0.3
_QUIET_SECONDS: Final = 1.0
_PHOTOS_MAX: Final = 10  # Telegram's own limit


class AlbumCollector:
    def __init__(self, parts: BotParts, feeder: Feeder) -> None:
        self._parts = parts
        self._feeder = feeder

    async def collect(self) -> None:
        """Every album that is quiet now. Taken means answered: a crash before that repeats the answer."""
        quiet = timedelta(seconds=_QUIET_SECONDS * self._parts.time_scale)
        while True:
            async with self._parts.albums.take_quiet(quiet) as album:
                if album is None:
                    return
                await self._answer(album)

    async def _answer(self, album: Album) -> None:
        """Only an unreachable database leaves the album for the next round."""
        async with self._feeder.alone_with(album.tg_user_id):
            outcome = (await asyncio.gather(self._receive(album), return_exceptions=True))[0]
        if isinstance(outcome, DATABASE_AWAY):
            raise outcome
        if isinstance(outcome, BaseException):
            _log.error("album was not answered", media_group_id=album.media_group_id, exc_info=outcome)

    async def _receive(self, album: Album) -> None:
        user = await self._parts.users.find(album.tg_user_id)
        if user is None:
            return
        turn = await begin_turn(self._parts, user)
        first, *others = [Picture.read(each) for each in album.pictures[:_PHOTOS_MAX]]
        if others:
            await receive_album(turn, (first, *others))
        else:
            await receive(turn, first)
