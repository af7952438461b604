"""Albums arrive as separate messages; they are collected until nothing more comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.clock import Clock
from store.database import Database, load_queries

_queries = load_queries("albums")


@dataclass(frozen=True, slots=True)
class Album:
    tg_user_id: int
    media_group_id: str


class Albums:
    """Whoever answers an album is alone with its chat meanwhile: nothing is locked here."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def collect(self, album: Album, message_id: int, picture: dict[str, Any]) -> bool:
        """True: the album was answered before this part came."""
        async with self._database.connection() as connection:
            return bool(
                await _queries.collect(
                    connection,
                    tg_user_id=album.tg_user_id,
                    media_group_id=album.media_group_id,
                    message_id=message_id,
                    picture=picture,
                    now=self._clock(),
                )
            )

    async def unique_ids(self, album: Album) -> frozenset[str]:
        async with self._database.connection() as connection:
            rows = _queries.unique_ids(
                connection, tg_user_id=album.tg_user_id, media_group_id=album.media_group_id
            )
            return frozenset([row["unique_id"] async for row in rows])

    async def reopen(self, album: Album) -> None:
        """It is to be answered once more, with all its parts."""
        async with self._database.connection() as connection:
            await _queries.reopen(
                connection, tg_user_id=album.tg_user_id, media_group_id=album.media_group_id
            )

    async def reopened(self, tg_user_id: int, message_ids: Sequence[int]) -> Album | None:
        """The album of these messages, when more of it came after the answer."""
        async with self._database.connection() as connection:
            found = await _queries.reopened(connection, tg_user_id=tg_user_id, message_ids=list(message_ids))
        return None if found is None else Album(tg_user_id, found)

    async def quiet(self, quiet: timedelta, albums_max: int) -> list[Album]:
        """Those nothing was added to for a while, and that nobody has answered; the oldest first."""
        async with self._database.connection() as connection:
            rows = _queries.quiet_albums(connection, quiet_since=self._clock() - quiet, albums_max=albums_max)
            return [Album(row["tg_user_id"], row["media_group_id"]) async for row in rows]

    async def pictures(self, album: Album) -> list[dict[str, Any]]:
        """In the order of the chat; none where it was answered meanwhile."""
        async with self._database.connection() as connection:
            rows = _queries.pictures_of_album(
                connection, tg_user_id=album.tg_user_id, media_group_id=album.media_group_id
            )
            return [row["picture"] async for row in rows]

    async def mark_taken(self, album: Album) -> None:
        """Answered: what comes of it later is passed over, unless the album is reopened."""
        async with self._database.connection() as connection:
            await _queries.mark_taken(
                connection,
                tg_user_id=album.tg_user_id,
                media_group_id=album.media_group_id,
                now=self._clock(),
            )

    async def forget(self, older_than: timedelta) -> None:
        async with self._database.connection() as connection:
            await _queries.forget_taken(connection, before=self._clock() - older_than)
