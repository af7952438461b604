"""Telegram updates: each comes at least once, and counts once; a chat is handled by one process at a time."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from typing import Final

from domain import ids
from domain.clock import Clock
from store.database import Database, load_queries

_queries = load_queries("updates")

LEASE: Final = timedelta(seconds=30)
_NO_UPDATE: Final = 0


class Claim(StrEnum):
    OURS = "ours"
    HANDLED = "handled"
    BUSY = "busy"


class HandledUpdates:
    """One per process: it holds the chats it claims until it frees them, or `lease` is over."""

    def __init__(self, database: Database, clock: Clock, lease: timedelta = LEASE) -> None:
        self._database = database
        self._clock = clock
        self._holder = ids.new_holder_id()
        self.lease = lease

    async def claim(self, update_id: int, chat_id: int) -> Claim:
        """OURS: handle it and finish, nobody else does anything with this chat until then."""
        now = self._clock()
        async with self._database.connection() as connection:
            row = await _queries.claim(
                connection,
                update_id=update_id,
                chat_id=chat_id,
                holder=self._holder,
                now=now,
                until=now + self.lease,
            )
        if row["handled"]:
            return Claim.HANDLED
        return Claim.OURS if row["leased"] else Claim.BUSY

    async def claim_chat(self, chat_id: int) -> bool:
        """For work that no update asked for. Free it afterwards."""
        return await self.claim(_NO_UPDATE, chat_id) is Claim.OURS

    async def finish(self, update_id: int, chat_id: int) -> None:
        """Handled, and the chat is free: both or neither."""
        async with self._database.connection() as connection:
            await _queries.finish(
                connection, update_id=update_id, chat_id=chat_id, holder=self._holder, now=self._clock()
            )

    async def free(self, chat_id: int) -> None:
        async with self._database.connection() as connection:
            await _queries.free(connection, chat_id=chat_id, holder=self._holder, now=self._clock())

    async def renew(self, chat_ids: Collection[int]) -> None:
        """Of chats that are still being handled here."""
        until = self._clock() + self.lease
        async with self._database.connection() as connection:
            await _queries.renew(connection, chat_ids=list(chat_ids), holder=self._holder, until=until)

    async def forget(self, older_than: timedelta) -> None:
        """Telegram repeats an update for a day at most."""
        before = self._clock() - older_than
        async with self._database.connection() as connection:
            await _queries.forget_handled(connection, before=before)
            await _queries.forget_leases(connection, before=before)
