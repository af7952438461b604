"""Money that reached us, and its way back. The provider's charge id makes each thing happen once."""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from domain import ids
from domain.clock import Clock
from domain.credits import Entry, EntryKind, NotEnoughCredits
from domain.payments import Invoice, PaymentState, Receipt
from store.counting import count_stars
from store.database import Connection, Database, Row, load_queries
from store.ledger import Ledger

_queries = load_queries("payments")


@dataclass(frozen=True, slots=True)
class Payment:
    """`tg_user_id` is None once the person is forgotten."""

    charge_id: str
    user_id: int
    tg_user_id: int | None
    amount: int
    currency: str
    credits: int
    state: PaymentState
    debt_credits: int = 0
    draft_id: str = ""
    refund_tries: int = 0
    refund_error: str = ""


class RefundStart(StrEnum):
    BEGUN = "begun"  # the credits are taken, the provider is told next
    CONTINUED = "continued"  # they were taken before; the provider is told again, now
    SPENT = "spent"  # refused: some of the credits are gone
    REFUNDED = "refunded"  # done long ago
    UNKNOWN = "unknown"  # there is no such charge


@dataclass(frozen=True, slots=True)
class RefundBegun:
    """`missing_credits` only where they are spent: how many more the wallet would need."""

    start: RefundStart
    payment: Payment | None = None
    missing_credits: int = 0


class PersonForgotten(Exception):
    """While the payment was on its way into the books: it belongs to whom the payer is now."""


class Payments:
    def __init__(self, database: Database, ledger: Ledger, clock: Clock) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock

    async def record(
        self, user_id: int, charge_id: str, receipt: Receipt, invoice: Invoice | None
    ) -> Payment:
        """Keep the payment and credit it, once. Without an invoice it is UNCLEAR and brings no credits.

        Raise PersonForgotten: nothing is kept then.
        """
        async with self._database.transaction() as connection:
            is_new = await self._insert(connection, user_id, charge_id, receipt, invoice)
            payment = _payment(await _queries.read_payment(connection, charge_id=charge_id))
            if is_new and payment.tg_user_id is None:  # the insert has waited for who forgot him
                raise PersonForgotten
            if is_new:
                count_stars(payment, "paid" if invoice else "unclear")
            if is_new and invoice:
                entry = Entry(
                    user_id,
                    EntryKind.PURCHASE,
                    ids.purchase_cause(charge_id),
                    invoice.package.credits,
                    charge_id=charge_id,
                )
                await self._ledger.write(connection, entry)
            return payment

    async def _insert(
        self,
        connection: Connection,
        user_id: int,
        charge_id: str,
        receipt: Receipt,
        invoice: Invoice | None,
    ) -> bool:
        """False: it is there already. Another transaction that holds it is waited for."""
        row = await _queries.insert_payment(
            connection,
            charge_id=charge_id,
            provider=receipt.provider.value,
            user_id=user_id,
            package_id=invoice.package.id if invoice else "",
            amount=receipt.amount,
            currency=receipt.currency,
            credits=invoice.package.credits if invoice else 0,
            state=(PaymentState.PAID if invoice else PaymentState.UNCLEAR).value,
            draft_id=(invoice.draft_id if invoice else "") or None,
            now=self._clock(),
        )
        return row is not None

    async def find(self, charge_id: str) -> Payment | None:
        async with self._database.connection() as connection:
            row = await _queries.read_payment(connection, charge_id=charge_id)
        return _payment(row) if row else None

    # -- the way back

    async def begin_refund(self, charge_id: str, *, forced: bool = False) -> RefundBegun:
        """Take the credits back and put the payment into the outbox; a repeat only asks the provider again.

        Forced takes what is there, and writes the rest down as a debt.
        """
        try:
            async with self._database.transaction() as connection:
                start = await self._begin_refund(connection, charge_id, forced=forced)
        except NotEnoughCredits as short:
            missing = short.needed - short.available
            return RefundBegun(RefundStart.SPENT, await self.find(charge_id), missing)
        return RefundBegun(start, await self.find(charge_id))

    async def _begin_refund(self, connection: Connection, charge_id: str, *, forced: bool) -> RefundStart:
        payment = await _queries.lock_payment(connection, charge_id=charge_id)
        if payment is None:
            return RefundStart.UNKNOWN
        state = PaymentState(payment["state"])
        if state is PaymentState.REFUNDED:
            return RefundStart.REFUNDED
        debt_credits = await self._take_back(connection, payment, forced=forced)
        await _queries.set_refunding(
            connection, charge_id=charge_id, debt_credits=debt_credits, now=self._clock()
        )
        return RefundStart.BEGUN if state in _CREDITS_NOT_TAKEN else RefundStart.CONTINUED

    async def _take_back(self, connection: Connection, payment: Row, *, forced: bool) -> int:
        """Answer with the new debt. Raise NotEnoughCredits, unless forced."""
        if PaymentState(payment["state"]) not in _CREDITS_NOT_TAKEN or not payment["credits"]:
            return 0
        charge_id = payment["charge_id"]
        entry = Entry(
            payment["user_id"],
            EntryKind.PURCHASE_REFUND,
            ids.purchase_refund_cause(charge_id),
            -payment["credits"],
            charge_id=charge_id,
        )
        try:
            await self._ledger.write(connection, entry)
        except NotEnoughCredits as short:
            if not forced:
                raise
            # The wallet is locked since the first try: what was available still is.
            await self._ledger.write(connection, replace(entry, available_delta=-short.available))
            return short.needed - short.available
        return 0

    async def mark_refunded(self, charge_id: str) -> Payment | None:
        """The provider has sent the money back, asked by us or not. None: known before, or no such charge."""
        async with self._database.transaction() as connection:
            payment = await _queries.lock_payment(connection, charge_id=charge_id)
            if payment is None or payment["state"] == PaymentState.REFUNDED:
                return None
            debt_credits = await self._take_back(connection, payment, forced=True)
            await _queries.set_refunded(
                connection, charge_id=charge_id, debt_credits=debt_credits, now=self._clock()
            )
            refunded = _payment(await _queries.read_payment(connection, charge_id=charge_id))
            count_stars(refunded, "refunded")
            return refunded

    # -- the outbox

    async def lease_refund(self, lease: timedelta) -> Payment | None:
        """The next due call to a provider. It falls due again after the lease, whatever becomes of us."""
        now = self._clock()
        async with self._database.transaction() as connection:
            leased = await _queries.lease_refund(connection, now=now, leased_until=now + lease)
            if leased is None:
                return None
            return _payment(await _queries.read_payment(connection, charge_id=leased["charge_id"]))

    async def postpone_refund(self, charge_id: str, after: timedelta, error: str) -> None:
        async with self._database.connection() as connection:
            await _queries.postpone_refund(
                connection, charge_id=charge_id, next_try_at=self._clock() + after, error=error
            )

    async def refuse_refund(self, charge_id: str, error: str) -> bool:
        """False: it was settled meanwhile."""
        async with self._database.connection() as connection:
            row = await _queries.refuse_refund(connection, charge_id=charge_id, error=error)
        return row is not None


_CREDITS_NOT_TAKEN = frozenset({PaymentState.PAID, PaymentState.UNCLEAR})


def _payment(row: Row) -> Payment:
    return Payment(
        charge_id=row["charge_id"],
        user_id=row["user_id"],
        tg_user_id=row["tg_user_id"],
        amount=row["amount"],
        currency=row["currency"],
        credits=row["credits"],
        state=PaymentState(row["state"]),
        debt_credits=row["debt_credits"],
        draft_id=row["draft_id"] or "",
        refund_tries=row["refund_tries"],
        refund_error=row["refund_error"],
    )
