"""One message to everybody, as rows: who is next, who is being written to, how it went.

The cursor moves with rows for those it passed, in one transaction; a message is SENDING before the call.
So whoever is killed leaves behind exactly those of whom nobody knows, and they are not written to again.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from domain.broadcasts import Broadcast, BroadcastState, Recipient, Sending
from domain.clock import Clock
from domain.orders import Language, language_of
from store.database import Connection, Database, Row, load_queries

_queries = load_queries("broadcasts")

_ERROR_CHARS_MAX: Final = 200


class UnknownBroadcast(Exception):
    """There is no row of that id."""


class StillRunning(Exception):
    """Another one has not ended: its id."""


class Broadcasts:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def reachable(self) -> Mapping[Language, int]:
        """How many users could be written to now, by the language they read."""
        counts: Counter[Language] = Counter(dict.fromkeys(Language, 0))
        async with self._database.connection() as connection:
            async for row in _queries.reachable(connection):
                counts[language_of(row["language"], row["tg_language"])] += row["users"]
        return counts

    async def start(self, broadcast_id: str, texts: Mapping[Language, str]) -> Broadcast:
        """Raise StillRunning: there is one at a time."""
        words = {"text_ru": texts[Language.RU], "text_en": texts[Language.EN]}
        async with self._database.connection() as connection:
            try:
                await _queries.start(connection, id=broadcast_id, now=self._clock(), **words)
            except asyncpg.UniqueViolationError:
                running = await _queries.running(connection)
                raise StillRunning(running or "another") from None
        return await self.find(broadcast_id)

    async def find(self, broadcast_id: str) -> Broadcast:
        """Raise UnknownBroadcast."""
        async with self._database.connection() as connection:
            row = await _queries.find(connection, id=broadcast_id)
        if row is None:
            raise UnknownBroadcast(broadcast_id)
        return _broadcast(row)

    async def latest(self, count: int) -> list[Broadcast]:
        async with self._database.connection() as connection:
            return [_broadcast(row) async for row in _queries.latest(connection, count=count)]

    async def cancel(self, broadcast_id: str) -> bool:
        """False: it had ended before. What is on its way goes on, nothing else is begun."""
        async with self._database.connection() as connection:
            return bool(await _queries.cancel(connection, id=broadcast_id, now=self._clock()))

    # -- sending

    async def claim(self, broadcast_id: str, holder: str, count: int) -> list[int]:
        """The users who are next, for this holder alone; nobody, when it is over or ends now.

        What an earlier holder was sending is unknown from here on. One from before a restore ends: its rows
        know less than Telegram does.
        """
        async with self._database.transaction() as connection:
            row = await _queries.lock(connection, id=broadcast_id)
            if row is None:
                raise UnknownBroadcast(broadcast_id)
            await _queries.hold(connection, id=broadcast_id, holder=holder)
            await _queries.give_up_sendings(connection, id=broadcast_id)
            await _queries.clear_away(connection, id=broadcast_id)
            if row["state"] != BroadcastState.RUNNING:
                return []
            if row["is_old"]:
                await _queries.cancel(connection, id=broadcast_id, now=self._clock())
                return []
            due = await self._due(connection, row, broadcast_id, count)
            if not due:
                await _queries.end(connection, id=broadcast_id, now=self._clock())
        return due

    async def _due(self, connection: Connection, row: Row, broadcast_id: str, count: int) -> list[int]:
        """Those of an earlier claim first."""
        due = await _due_now(connection, broadcast_id, count)
        if due:
            return due
        stretch = {"after": row["last_user_id"], "until": row["until_user_id"], "count": count}
        await _queries.claim_next(connection, id=broadcast_id, **stretch)
        return await _due_now(connection, broadcast_id, count)

    async def begin(self, broadcast_id: str, holder: str, user_id: int) -> Recipient | None:
        """Commit SENDING. None: the user is gone, or it is not ours to send any more."""
        async with self._database.connection() as connection:
            row = await _queries.begin_sending(connection, id=broadcast_id, holder=holder, user_id=user_id)
        if row is None:
            return None
        return Recipient(user_id, row["tg_user_id"], language_of(row["language"], row["tg_language"]))

    async def is_held(self, broadcast_id: str, holder: str) -> bool:
        async with self._database.connection() as connection:
            return bool(await _queries.is_held(connection, id=broadcast_id, holder=holder))

    async def put_back(self, broadcast_id: str, user_id: int) -> None:
        """It surely was not sent, and is sent later."""
        async with self._database.connection() as connection:
            await _queries.put_back(connection, id=broadcast_id, user_id=user_id)

    async def finish(self, broadcast_id: str, user_id: int, outcome: Sending, error: str = "") -> None:
        """Counted once, however late the answer came."""
        said: dict[str, Any] = {
            "outcome": outcome.value,
            "error": error[:_ERROR_CHARS_MAX].replace("\x00", ""),
        }
        async with self._database.transaction() as connection:
            await _queries.finish_sending(connection, id=broadcast_id, user_id=user_id, **said)
            if outcome is Sending.BLOCKED:
                await _queries.mark_blocked(connection, user_id=user_id, now=self._clock())


async def _due_now(connection: Connection, broadcast_id: str, count: int) -> list[int]:
    return [row["user_id"] async for row in _queries.due(connection, id=broadcast_id, count=count)]


def _broadcast(row: Row) -> Broadcast:
    return Broadcast(
        id=row["id"],
        state=BroadcastState(row["state"]),
        texts={Language.RU: row["text_ru"], Language.EN: row["text_en"]},
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        users_total=row["users_total"],
        sent=row["sent_count"],
        blocked=row["blocked_count"],
        failed=row["failed_count"],
        unknown=row["unknown_count"],
    )
