"""Credits: append-only entries with a unique cause, and the wallet that equals their sum.

Functions that take a connection belong to the caller's transaction. Rows are locked in one order
everywhere (drafts, videos, orders, wallets last): two transactions never wait for each other in a ring.
"""

from domain import ids
from domain.clock import Clock
from domain.credits import Balance, Entry, EntryKind, HistoryLine, NotEnoughCredits
from store.database import Connection, Database, Row, load_queries

_queries = load_queries("ledger")


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
            user_id = await _queries.ensure_user(connection, tg_user_id=tg_user_id, now=self._clock())
            entry = Entry(user_id, EntryKind.GRANT, ids.grant_cause(grant_id), credits, note=reason)
            await self.write(connection, entry)
            return await self._locked_balance(connection, user_id)

    async def history(self, tg_user_id: int, limit: int, offset: int = 0) -> list[HistoryLine]:
        """What changed the available credits, the newest first."""
        async with self._database.connection() as connection:
            rows = _queries.history(connection, tg_user_id=tg_user_id, limit=limit, offset=offset)
            return [_history_line(row) async for row in rows]

    async def write(self, connection: Connection, entry: Entry) -> bool:
        """Apply an entry once. False: its cause was there before. Raise NotEnoughCredits."""
        before = await self._locked_balance(connection, entry.user_id)
        if await _queries.find_entry(connection, cause=entry.cause):
            return False
        after = _applied(before, entry)
        await _queries.insert_entry(
            connection,
            user_id=entry.user_id,
            kind=entry.kind.value,
            available_delta=entry.available_delta,
            reserved_delta=entry.reserved_delta,
            cause=entry.cause,
            order_id=entry.order_id,
            video_id=entry.video_id,
            charge_id=entry.charge_id,
            note=entry.note,
            available_after=after.available,
            reserved_after=after.reserved,
            now=self._clock(),
        )
        await _queries.update_wallet(
            connection, user_id=entry.user_id, available=after.available, reserved=after.reserved
        )
        return True

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
        if await self.write(connection, entry):
            return True
        return await self._kind_of(connection, entry.cause) is EntryKind.RESERVE

    async def void_if_unreserved(self, connection: Connection, user_id: int, order_id: str) -> bool:
        """True when the order was never reserved, and now never can be."""
        entry = Entry(user_id, EntryKind.VOID, ids.reserve_cause(order_id), order_id=order_id)
        if await self.write(connection, entry):
            return True
        return await self._kind_of(connection, entry.cause) is EntryKind.VOID

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
        if await self.write(connection, entry):
            return kind
        return await self._kind_of(connection, entry.cause)

    async def _locked_balance(self, connection: Connection, user_id: int) -> Balance:
        await _queries.ensure_wallet(connection, user_id=user_id)
        row = await _queries.lock_wallet(connection, user_id=user_id)
        return Balance(row["available"], row["reserved"])

    async def _kind_of(self, connection: Connection, cause: str) -> EntryKind:
        row = await _queries.find_entry(connection, cause=cause)
        return EntryKind(row["kind"])


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


def _applied(before: Balance, entry: Entry) -> Balance:
    after = Balance(before.available + entry.available_delta, before.reserved + entry.reserved_delta)
    if after.available < 0:
        raise NotEnoughCredits(before.available, -entry.available_delta)
    return after
