"""The parts of an album go on together, once nothing more of it comes."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import structlog

from bot.album_parts import PHOTOS_MAX
from bot.feeder import Feeder
from bot.middleware import DATABASE_AWAY
from bot.parts import BotParts
from bot.pictures import Picture, receive, receive_album
from bot.turn import begin_turn
from clients.telegram import TelegramBlocked, TelegramError
from store.albums import Album
from store.users import User
from texts import cards

_log = structlog.get_logger()

COLLECT_SECONDS: Final = 0.3
_QUIET_SECONDS: Final = 1.5
_QUIET_SECONDS_MIN: Final = 0.8  # however short our waits: the parts come one by one over the network
_AT_ONCE_MAX: Final = 4  # each may be ten large files


class AlbumCollector:
    def __init__(self, parts: BotParts, feeder: Feeder) -> None:
        self._parts = parts
        self._feeder = feeder

    async def collect(self) -> None:
        """Every album that is quiet now, a few side by side."""
        quiet = timedelta(seconds=max(_QUIET_SECONDS_MIN, _QUIET_SECONDS * self._parts.time_scale))
        while found := await self._parts.albums.quiet(quiet, _AT_ONCE_MAX):
            outcomes = await asyncio.gather(*map(self._take, found), return_exceptions=True)
            failed = [each for each in outcomes if isinstance(each, BaseException)]
            if failed:
                raise failed[0]

    async def _take(self, album: Album) -> None:
        """Taken means answered: a crash before that repeats the answer."""
        async with self._feeder.alone_with(album.tg_user_id):
            pictures = await self._parts.albums.pictures(album)
            user = await self._parts.users.find(album.tg_user_id)
            if pictures and user is not None:
                await self._answer(album, user, pictures)
            await self._parts.albums.mark_taken(album)

    async def _answer(self, album: Album, user: User, pictures: Sequence[dict[str, Any]]) -> None:
        """Only an unreachable database leaves the album for the next round."""
        outcome = (await asyncio.gather(self._receive(user, pictures), return_exceptions=True))[0]
        if isinstance(outcome, DATABASE_AWAY):
            raise outcome
        if isinstance(outcome, TelegramBlocked):
            _log.info("user cannot be reached", media_group_id=album.media_group_id)
        elif isinstance(outcome, BaseException):
            _log.error("album was not answered", media_group_id=album.media_group_id, exc_info=outcome)
            await self._apologise(user)

    async def _receive(self, user: User, pictures: Sequence[dict[str, Any]]) -> None:
        turn = await begin_turn(self._parts, user)
        first, *others = [Picture.read(each) for each in pictures[:PHOTOS_MAX]]
        if others:
            await receive_album(turn, (first, *others))
        else:
            await receive(turn, first)

    async def _apologise(self, user: User) -> None:
        try:
            await self._parts.telegram.send_text(user.tg_user_id, cards.apology(user.language))
        except TelegramError as error:
            _log.warning("apology was not sent", error=type(error).__name__)
