"""Money: credited once, refunded whole, whoever else is at it."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from domain.clock import utc_now
from domain.credits import EntryKind
from domain.payments import Invoice, Package, PaymentState, Provider, Receipt
from store.database import Database
from store.ledger import Ledger
from store.payments import Payments, RefundStart
from store.users import Users
from tests.stories.audit import RULES

PACKAGE = Package("20c500s", 20, 500)
RECEIPT = Receipt(Provider.STARS, 7, 500, "XTR", "signed")
INVOICE = Invoice(7, PACKAGE, "d" * 20)
CHARGE = "stx-one"
LEASE = timedelta(seconds=60)
ENTRIES = "select kind, available_delta from credit_entries order by id"
BROKEN = """
    select w.user_id from wallets w join credit_entries e using (user_id)
    group by w.user_id, w.available having w.available <> sum(e.available_delta)
"""


class Shop:
    """A person without credits, and a clock that stands still."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)
        self.ledger = Ledger(database, self.clock)
        self.payments = Payments(database, self.ledger, self.clock)
        self.users = Users(database, self.ledger, self.clock, welcome_credits=0)

    def clock(self) -> datetime:
        return self.now

    async def pay(self, charge_id: str = CHARGE, invoice: Invoice | None = INVOICE) -> PaymentState:
        user = await self.users.register(7, "en")
        return (await self.payments.record(user.id, charge_id, RECEIPT, invoice)).state

    async def spend(self, credits_: int) -> None:
        await self.ledger.grant(7, -credits_, "spent", f"spent-{credits_}")

    async def available(self) -> int:
        return (await self.ledger.balance(7)).available

    async def entries(self) -> list[tuple[str, int]]:
        async with self.database.connection() as connection:
            assert not await connection.fetch(BROKEN)
            return [(row["kind"], row["available_delta"]) for row in await connection.fetch(ENTRIES)]

    async def state(self) -> PaymentState:
        payment = await self.payments.find(CHARGE)
        assert payment is not None
        return payment.state


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


async def test_a_payment_is_credited_once(shop: Shop) -> None:
    assert [await shop.pay() for _ in range(3)] == [PaymentState.PAID] * 3
    assert await shop.entries() == [("purchase", 20)]
    found = await shop.payments.find(CHARGE)
    assert found is not None
    assert (found.tg_user_id, found.amount, found.credits, found.draft_id) == (7, 500, 20, "d" * 20)


async def test_the_same_charge_in_two_connections_at_once_is_one_entry(shop: Shop, database_url: str) -> None:
    user = await shop.users.register(7, "en")
    others = [await Database.connect(database_url, connections_max=2) for _ in range(2)]
    ledgers = [Ledger(each, utc_now) for each in others]
    desks = [Payments(each, ledger, utc_now) for each, ledger in zip(others, ledgers, strict=True)]
    booked = await asyncio.gather(
        *(desk.record(user.id, CHARGE, RECEIPT, INVOICE) for desk in desks for _ in range(5))
    )
    assert {payment.state for payment in booked} == {PaymentState.PAID}
    assert await shop.entries() == [("purchase", 20)]
    await asyncio.gather(*(each.close() for each in others))


async def test_a_booking_that_is_not_committed_yet_is_waited_for(shop: Shop, database_url: str) -> None:
    user = await shop.users.register(7, "en")
    other = await asyncpg.connect(database_url)
    cut_off = other.transaction()
    await cut_off.start()
    await other.execute(
        "insert into payments (charge_id, provider, user_id, package_id, amount, currency, credits, paid_at)"
        " values ($1, 'stars', $2, 'p', 500, 'XTR', 20, now())",
        CHARGE,
        user.id,
    )
    booking = asyncio.create_task(shop.pay())
    await asyncio.sleep(0.2)
    assert not booking.done()
    await cut_off.rollback()
    assert await booking is PaymentState.PAID
    assert await shop.entries() == [("purchase", 20)]
    await other.close()


async def test_money_without_an_invoice_is_kept_and_brings_nothing(shop: Shop) -> None:
    assert await shop.pay(invoice=None) is PaymentState.UNCLEAR
    assert await shop.pay() is PaymentState.UNCLEAR  # the same charge does not become clear by coming again
    assert await shop.entries() == []
    assert (await shop.payments.begin_refund(CHARGE)).start is RefundStart.BEGUN
    assert (await shop.payments.mark_refunded(CHARGE)) is not None
    assert await shop.entries() == []


async def test_a_refund_takes_the_credits_first(shop: Shop) -> None:
    await shop.pay()
    begun = await shop.payments.begin_refund(CHARGE)
    assert (begun.start, await shop.available(), await shop.state()) == (
        RefundStart.BEGUN,
        0,
        PaymentState.REFUNDING,
    )
    again = await shop.payments.begin_refund(CHARGE, forced=True)
    assert again.start is RefundStart.CONTINUED
    assert await shop.entries() == [("purchase", 20), ("purchase_refund", -20)]


async def test_spent_credits_refuse_a_refund_and_say_how_many_are_missing(shop: Shop) -> None:
    await shop.pay()
    await shop.spend(15)
    begun = await shop.payments.begin_refund(CHARGE)
    assert (begun.start, begun.missing_credits) == (RefundStart.SPENT, 15)
    assert (await shop.state(), await shop.available()) == (PaymentState.PAID, 5)
    assert await shop.payments.lease_refund(LEASE) is None


@pytest.mark.parametrize("spent", [15, 20])
async def test_a_forced_refund_takes_what_is_there_and_writes_down_the_rest(shop: Shop, spent: int) -> None:
    await shop.pay()
    await shop.spend(spent)
    begun = await shop.payments.begin_refund(CHARGE, forced=True)
    assert begun.payment is not None
    assert (begun.start, begun.payment.debt_credits) == (RefundStart.BEGUN, spent)
    assert await shop.available() == 0
    assert (await shop.entries())[-1] == ("purchase_refund", spent - 20)


async def test_refunds_at_once_take_the_credits_once(shop: Shop) -> None:
    await shop.pay()
    await shop.pay("stx-two")
    begun = await asyncio.gather(*(shop.payments.begin_refund(CHARGE) for _ in range(6)))
    assert [each.start for each in begun].count(RefundStart.BEGUN) == 1
    assert await shop.available() == 20


async def test_what_nobody_paid_is_not_refunded(shop: Shop) -> None:
    assert (await shop.payments.begin_refund("stx-none")).start is RefundStart.UNKNOWN
    assert await shop.payments.mark_refunded("stx-none") is None


async def test_a_refund_ends_once(shop: Shop) -> None:
    await shop.pay()
    await shop.payments.begin_refund(CHARGE)
    ended = await asyncio.gather(*(shop.payments.mark_refunded(CHARGE) for _ in range(4)))
    assert len([each for each in ended if each]) == 1
    assert (await shop.payments.begin_refund(CHARGE)).start is RefundStart.REFUNDED
    assert await shop.pay() is PaymentState.REFUNDED
    assert await shop.entries() == [("purchase", 20), ("purchase_refund", -20)]


async def test_a_refund_by_the_provider_takes_the_credits_by_force(shop: Shop) -> None:
    await shop.pay()
    await shop.spend(18)
    refunded = await shop.payments.mark_refunded(CHARGE)
    assert refunded is not None
    assert (refunded.state, refunded.debt_credits, await shop.available()) == (PaymentState.REFUNDED, 18, 0)


async def test_a_due_call_is_leased_to_one_and_falls_due_again(shop: Shop) -> None:
    await shop.pay()
    await shop.payments.begin_refund(CHARGE)
    leased = await asyncio.gather(*(shop.payments.lease_refund(LEASE) for _ in range(4)))
    assert [each.refund_tries for each in leased if each] == [1]
    shop.now += LEASE
    again = await shop.payments.lease_refund(LEASE)
    assert again is not None
    assert again.refund_tries == 2


async def test_a_postponed_call_waits_its_time_and_a_refused_one_for_a_person(shop: Shop) -> None:
    await shop.pay()
    await shop.payments.begin_refund(CHARGE)
    await shop.payments.lease_refund(LEASE)
    await shop.payments.postpone_refund(CHARGE, timedelta(minutes=10), "away")
    shop.now += timedelta(minutes=9)
    assert await shop.payments.lease_refund(LEASE) is None
    shop.now += timedelta(minutes=1)
    assert await shop.payments.lease_refund(LEASE) is not None
    assert await shop.payments.refuse_refund(CHARGE, "no")
    assert not await shop.payments.refuse_refund(CHARGE, "no")
    shop.now += timedelta(days=1)
    assert await shop.payments.lease_refund(LEASE) is None
    begun = await shop.payments.begin_refund(CHARGE)
    assert begun.start is RefundStart.CONTINUED
    assert await shop.payments.lease_refund(LEASE) is not None
    assert await shop.entries() == [("purchase", 20), ("purchase_refund", -20)]


async def test_the_books_hold_only_what_is_whole(shop: Shop) -> None:
    (rule,) = (query for name, query in RULES.items() if name.startswith("I5"))
    for charge_id in (CHARGE, "stx-two", "stx-three"):
        await shop.pay(charge_id)
    await shop.pay("stx-four", invoice=None)
    await shop.payments.begin_refund(CHARGE)
    await shop.payments.mark_refunded("stx-two")
    await shop.payments.mark_refunded("stx-four")
    async with shop.database.connection() as connection:
        assert await connection.fetch(rule) == []
        await connection.execute("update payments set state = 'PAID' where charge_id = $1", CHARGE)
        await connection.execute("update payments set state = 'REFUNDED' where charge_id = 'stx-three'")
        assert {row[0] for row in await connection.fetch(rule)} == {CHARGE, "stx-three"}


async def test_the_history_names_what_each_entry_was_for(shop: Shop) -> None:
    await shop.pay()
    await shop.spend(3)
    await shop.spend(1)
    lines = await shop.ledger.history(7, limit=2)
    assert [(line.kind, line.credits, line.note) for line in lines] == [
        (EntryKind.GRANT, -1, "spent"),
        (EntryKind.GRANT, -3, "spent"),
    ]
    (oldest,) = await shop.ledger.history(7, limit=2, offset=2)
    assert (oldest.kind, oldest.credits, oldest.amount, oldest.at) == (EntryKind.PURCHASE, 20, 500, shop.now)
    assert await shop.ledger.history(8, limit=2) == []
