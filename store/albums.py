"""Albums arrive as separate messages; they are collected until nothing more comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.clock import Clock
from store.database import Connection, Database, load_queries

_queries = load_queries("albums")


@dataclass(frozen=True, slots=True)
class Album:
    """`pictures` in the order of the chat."""

    tg_user_id: int
    media_group_id: str
    pictures: tuple[dict[str, Any], ...]


class Albums:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def collect(
        self, tg_user_id: int, media_group_id: str, message_id: int, picture: dict[str, Any]
    ) -> None:
        async with self._database.connection() as connection:
            await _queries.collect(
                connection,
                tg_user_id=tg_user_id,
                media_group_id=media_group_id,
                message_id=message_id,
                picture=picture,
                now=self._clock(),
            )

    @asynccontextmanager
    async def take_quiet(self, quiet: timedelta) -> AsyncIterator[Album | None]:
        """An album nothing was added to for a while. It counts as taken when the block ends well."""
        async with self._database.transaction() as connection:
            album = await self._lock_quiet(connection, self._clock() - quiet)
            yield album
            if album is not None:
                await _queries.mark_taken(
                    connection,
                    tg_user_id=album.tg_user_id,
                    media_group_id=album.media_group_id,
                    now=self._clock(),
                )

    async def _lock_quiet(self, connection: Connection, quiet_since: Any) -> Album | None:
        found = await _queries.find_quiet(connection, quiet_since=quiet_since)
        if found is None:
            return None
        key = {"tg_user_id": found["tg_user_id"], "media_group_id": found["media_group_id"]}
        pictures = tuple([row["picture"] async for row in _queries.lock_album(connection, **key)])
        return Album(**key, pictures=pictures) if pictures else None

    async def forget(self, older_than: timedelta) -> None:
        async with self._database.connection() as connection:
            await _queries.forget_taken(connection, before=self._clock() - older_than)
