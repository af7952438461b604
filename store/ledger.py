"""Credits: append-only entries with a unique cause, and the wallet that equals their sum.

Functions that take a connection belong to the caller's transaction. Rows are locked in one order
everywhere (drafts, videos, orders, wallets last): two transactions never wait for each other in a ring.
"""

from typing import Final

from domain import ids
from domain.clock import Clock
from domain.credits import Balance, Entry, EntryKind, HistoryLine, NotEnoughCredits
from store.counting import count_entry
from store.database import Connection, Database, Row, load_queries

_queries = load_queries("ledger")

_WRITTEN: Final = "WRITTEN"
_SHORT: Final = "SHORT"


class Ledger:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def balance(self, tg_user_id: int) -> Balance:
        """Zero for somebody we do not know."""
        async with self._database.connection() as connection:
            row = await _queries.balance(connection, tg_user_id=tg_user_id)
        return Balance(row["available"], row["reserved"]) if row else Balance(0, 0)

    async def welcome(self, connection: Connection, user_id: int, credits: int) -> bool:  # noqa: A002 - the word of the domain
        """True for the first time only."""
        entry = Entry(user_id, EntryKind.WELCOME, ids.welcome_cause(user_id), available_delta=credits)
        return await self.write(connection, entry)

    async def grant(self, tg_user_id: int, credits: int, reason: str, grant_id: str) -> Balance:  # noqa: A002
        """Give (or, negative, take) credits; a repeated `grant_id` changes nothing."""
        async with self._database.transaction() as connection:
            balance, _ = await self.give(connection, tg_user_id, credits, reason, grant_id)
        return balance

    async def give(
        self,
        connection: Connection,
        tg_user_id: int,
        credits: int,  # noqa: A002 - the word of the domain
        reason: str,
        grant_id: str,
    ) -> tuple[Balance, bool]:
        """A grant, in the caller's transaction. False: there was one with this `grant_id` before."""
        await _queries.ensure_user(connection, tg_user_id=tg_user_id, now=self._clock())
        user_id = await _queries.user_id(connection, tg_user_id=tg_user_id)
        entry = Entry(user_id, EntryKind.GRANT, ids.grant_cause(grant_id), credits, note=reason)
        now = await self._write(connection, entry)
        return Balance(now["available"], now["reserved"]), now["outcome"] == _WRITTEN

    async def history(self, tg_user_id: int, limit: int, offset: int = 0) -> list[HistoryLine]:
        """What changed the available credits, the newest first."""
        async with self._database.connection() as connection:
            rows = _queries.history(connection, tg_user_id=tg_user_id, limit=limit, offset=offset)
            return [_history_line(row) async for row in rows]

    async def write(self, connection: Connection, entry: Entry) -> bool:
        """Apply an entry once. False: its cause was there before. Raise NotEnoughCredits."""
        return bool((await self._write(connection, entry))["outcome"] == _WRITTEN)

    async def _write(self, connection: Connection, entry: Entry) -> Row:
        """Wallet and entry as they are now, whoever wrote it. The wallet stays locked."""
        row: Row = await _queries.write_entry(
            connection,
            user_id=entry.user_id,
            kind=entry.kind.value,
            available_delta=entry.available_delta,
            reserved_delta=entry.reserved_delta,
            cause=entry.cause,
            order_id=entry.order_id,
            video_id=entry.video_id,
            charge_id=entry.charge_id,
            now=self._clock(),
        )
        if row["outcome"] == _SHORT:
            raise NotEnoughCredits(row["available"], -entry.available_delta)
        if row["outcome"] == _WRITTEN:
            count_entry(entry)
            await self._note(connection, entry)
        return row

    async def _note(self, connection: Connection, entry: Entry) -> None:
        if entry.note:
            await _queries.insert_note(connection, cause=entry.cause, user_id=entry.user_id, note=entry.note)

    async def reserve(self, connection: Connection, user_id: int, order_id: str, price_credits: int) -> bool:
        """Hold the price of an order. Repeated, it gives the first answer; False: it was released before."""
        entry = Entry(
            user_id,
            EntryKind.RESERVE,
            ids.reserve_cause(order_id),
            -price_credits,
            price_credits,
            order_id=order_id,
        )
        return EntryKind((await self._write(connection, entry))["kind"]) is EntryKind.RESERVE

    async def void_if_unreserved(self, connection: Connection, user_id: int, order_id: str) -> bool:
        """True when the order was never reserved, and now never can be."""
        entry = Entry(user_id, EntryKind.VOID, ids.reserve_cause(order_id), order_id=order_id)
        return EntryKind((await self._write(connection, entry))["kind"]) is EntryKind.VOID

    async def settle(
        self, connection: Connection, user_id: int, video_id: str, price_credits: int, *, captured: bool
    ) -> EntryKind:
        """Capture or refund a video's price; answer which of the two it is, whoever came first."""
        kind = EntryKind.CAPTURE if captured else EntryKind.REFUND
        entry = Entry(
            user_id,
            kind,
            ids.settle_cause(video_id),
            0 if captured else price_credits,
            -price_credits,
            video_id=video_id,
        )
        return EntryKind((await self._write(connection, entry))["kind"])


def _history_line(row: Row) -> HistoryLine:
    return HistoryLine(
        kind=EntryKind(row["kind"]),
        credits=row["available_delta"],
        at=row["created_at"],
        video_count=row["video_count"] or 0,
        video_number=row["video_number"] or 0,
        amount=row["amount"] or 0,
        note=row["note"],
    )
