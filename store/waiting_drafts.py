"""Drafts that could not be ordered now: their users are written to when it goes on."""

from collections.abc import Iterable
from datetime import timedelta

from domain.clock import Clock
from domain.waiting import WaitingDraft, WaitReason
from store.database import Database, load_queries

_queries = load_queries("waiting_drafts")


class WaitingDrafts:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def remember(self, user_id: int, draft_id: str, reason: WaitReason | str) -> None:
        """One of each user: the newest wins, and keeps the turn of the one before."""
        async with self._database.connection() as connection:
            await _queries.remember(
                connection,
                user_id=user_id,
                draft_id=draft_id,
                reason=WaitReason(reason).value,
                now=self._clock(),
            )

    async def reasons(self) -> frozenset[WaitReason]:
        """What people wait for now."""
        async with self._database.connection() as connection:
            rows = _queries.untold_reasons(connection)
            return frozenset([WaitReason(row["reason"]) async for row in rows])

    async def claim(self, reasons: Iterable[WaitReason]) -> WaitingDraft | None:
        """The one who waits longest; it counts as told from here on, for every process."""
        async with self._database.connection() as connection:
            row = await _queries.claim(
                connection, reasons=[reason.value for reason in reasons], now=self._clock()
            )
        if row is None:
            return None
        return WaitingDraft(row["user_id"], row["tg_user_id"], row["draft_id"], WaitReason(row["reason"]))

    async def put_back(self, waiting: WaitingDraft) -> None:
        """It surely was not told."""
        async with self._database.connection() as connection:
            await _queries.put_back(connection, user_id=waiting.user_id, draft_id=waiting.draft_id)

    async def invited_videos(self, within: timedelta) -> int:
        """How many videos those may still order who were told so lately."""
        since = self._clock() - within
        async with self._database.connection() as connection:
            return int(await _queries.invited_videos(connection, since=since))
