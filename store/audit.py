"""The deeds of administrators: done and written down in one transaction, each once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from domain import ids
from domain.clock import Clock
from domain.credits import Balance, Entry, EntryKind, NotEnoughCredits
from domain.deeds import Deed
from store.database import Connection, Database, Row, load_queries
from store.ledger import Ledger
from store.switches import Switches

_queries = load_queries("audit")

ANSWER_WITHIN: Final = timedelta(hours=1)
"""An older card asks about a world that is gone."""
OPERATOR: Final = 0
"""Instead of an administrator's Telegram id: somebody at the command line; `details.by` says who."""


@dataclass(frozen=True, slots=True)
class Done:
    """`first` is False for a repeated Yes. `balance` is the user's, after a grant or a take."""

    deed: Deed
    first: bool
    balance: Balance


class TooMany(Exception):
    """More was to be taken than there is."""

    def __init__(self, deed: Deed, available: int) -> None:
        super().__init__(f"{available} available")
        self.deed = deed
        self.available = available


class OtherGrant(Exception):
    """What was given with this grant id was something else, or to somebody else."""


class AuditLog:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ledger = Ledger(database, clock)
        self._switches = Switches(database, clock)

    async def looked(self, admin: int, tg_user_id: int) -> None:
        async with self._database.connection() as connection:
            await self._write(connection, admin, "look", str(tg_user_id), {})

    async def write_down(self, by: str, action: str, target: str, details: Mapping[str, Any]) -> None:
        """What was done from the command line, and by whom."""
        async with self._database.connection() as connection:
            await self._write(connection, OPERATOR, action, target, {"by": by, **details})

    async def grant(
        self,
        by: str,
        tg_user_id: int,
        credits: int,  # noqa: A002 - the word of the domain
        reason: str,
        grant_id: str,
    ) -> Balance:
        """From the command line; repeated, it changes nothing and writes nothing down.

        Raise NotEnoughCredits, where credits are taken; OtherGrant.
        """
        async with self._database.transaction() as connection:
            balance, first = await self._ledger.give(connection, tg_user_id, credits, reason, grant_id)
            if first:
                details = {"by": by, "credits": credits, "reason": reason, "grant_id": grant_id}
                await self._write(connection, OPERATOR, "grant", str(tg_user_id), details)
                return balance
            given = await _queries.granted(connection, cause=ids.grant_cause(grant_id))
            if (given["tg_user_id"], given["available_delta"]) != (tg_user_id, credits):
                raise OtherGrant
        return balance

    async def switch(self, admin: int, name: str, *, is_on: bool) -> bool:
        """False: it stood like this already."""
        async with self._database.transaction() as connection:
            if not await self._switches.write(connection, name, is_on=is_on):
                return False
            await self._write(connection, admin, "switch", name, {"is_on": is_on})
        return True

    async def ask(self, admin: int, deed: Deed) -> str:
        """The id that a confirm card's Yes and No carry."""
        deed_id = ids.new_draft_id()
        async with self._database.connection() as connection:
            await _queries.insert_deed(
                connection,
                id=deed_id,
                admin_tg_id=admin,
                deed=deed.model_dump(mode="json"),
                now=self._clock(),
            )
        return deed_id

    async def confirm(self, admin: int, deed_id: str) -> Done | None:
        """Do it; raise TooMany, which leaves it open. None: no deed that this admin may still do.

        A refund is only written down here: the payment itself knows whether it was begun. So is forgetting.
        """
        async with self._database.transaction() as connection:
            row = await _queries.lock_deed(connection, id=deed_id, admin_tg_id=admin)
            if row is None or row["answer"] == "no" or self._too_old(row):
                return None
            deed, first = Deed.model_validate(row["deed"]), row["answer"] is None
            if deed.moves_credits and not deed.tg_user_id:
                return None
            balance = await self._do(connection, deed, deed_id)
            if first:
                await _queries.answer_deed(connection, id=deed_id, answer="yes")
                await self._write(connection, admin, deed.kind.value, *_facts(deed))
        return Done(deed, first, balance)

    async def decline(self, admin: int, deed_id: str) -> bool:
        """False: it was answered before, or is none of this admin's."""
        async with self._database.transaction() as connection:
            row = await _queries.lock_deed(connection, id=deed_id, admin_tg_id=admin)
            if row is None or row["answer"] is not None:
                return False
            await _queries.answer_deed(connection, id=deed_id, answer="no")
        return True

    async def _do(self, connection: Connection, deed: Deed, deed_id: str) -> Balance:
        """The cause of the ledger's entry is the deed: a repeated Yes moves nothing."""
        user_id = await _queries.user_id(connection, tg_user_id=deed.tg_user_id)
        if deed.moves_credits:
            cause = ids.grant_cause(deed_id)
            entry = Entry(user_id, EntryKind.GRANT, cause, deed.available_delta, note=deed.reason)
            try:
                await self._ledger.write(connection, entry)
            except NotEnoughCredits as short:
                raise TooMany(deed, short.available) from None
        wallet = await _queries.wallet(connection, user_id=user_id)
        return Balance(wallet["available"], wallet["reserved"]) if wallet else Balance(0, 0)

    def _too_old(self, row: Row) -> bool:
        """A Yes that was given in time may be repeated."""
        return row["answer"] is None and self._clock() - row["asked_at"] > ANSWER_WITHIN

    async def _write(
        self, connection: Connection, admin: int, action: str, target: str, details: Mapping[str, Any]
    ) -> None:
        await _queries.insert_action(
            connection,
            admin_tg_id=admin,
            action=action,
            target=target,
            details=dict(details),
            now=self._clock(),
        )


def _facts(deed: Deed) -> tuple[str, dict[str, Any]]:
    """Whom, and what else there is to say: the reason is the only text."""
    details = deed.model_dump(mode="json", exclude={"kind", "tg_user_id"}, exclude_defaults=True)
    return str(deed.tg_user_id), details
