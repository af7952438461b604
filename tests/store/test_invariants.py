"""Every way in which a row may be wrong is found by the next check, told once, and noticed when mended."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio

from domain.clock import utc_now
from domain.failures import Failure, FailureClass, FailureReason
from domain.invariants import Checked, Rule, Walk
from domain.orders import VideoState
from domain.payments import Invoice, Package, Provider, Receipt
from store.database import Database
from store.invariants import Invariants, Pace
from store.payments import Payments
from tests.fixtures.kie_rows import HandClock
from tests.store.order_rows import Rows, rows_of

USER = 1
PACKAGE = Package("20c500s", 20, 500)
RECEIPT = Receipt(Provider.STARS, USER, 500, "XTR", "signed")
ALL_IDS = 1_000
FROZEN = 2


@dataclass
class Shop:
    """A seller with orders that ended in every way, and payments in every state."""

    database: Database
    owner: asyncpg.Connection
    rows: Rows
    invariants: Invariants
    clock: HandClock

    async def check(self, *, complete: bool = False) -> dict[str, list[str]]:
        checked = await self.looked(complete=complete)
        return {
            rule.value: [each.subject for each in found.examples] for rule, found in checked.broken.items()
        }

    async def looked(self, *, complete: bool = False) -> Checked:
        return await self.invariants.check(complete=complete, ids_max=ALL_IDS)

    async def order(self, video_count: int = 1) -> list[str]:
        placed = await self.rows.orders.place(await self.rows.draft(USER, video_count), USER)
        await self.rows.orders.mark_started(placed.order_id)
        return await self.rows.videos.of_order(placed.order_id)

    async def attempt(self, video_id: str, number: int, state: str, task_state: str | None = None) -> None:
        """As the program writes it."""
        async with self.database.connection() as connection:
            await connection.execute(
                """insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state,
                                         kie_task_id, task_state, admitted_at, sent_at)
                   select $1 || '-a' || $2::int, $1, user_id, $2, 'm', 'a', 'k', $3,
                          case when $3 = 'ACCEPTED' then 't-' || $1 || $2::int end, $4, now(), now()
                   from videos where id = $1""",
                video_id, number, state, task_state,
            )  # fmt: skip

    async def pay(self, charge_id: str) -> None:
        user = await self.rows.users.register(USER, "en")
        payments = Payments(self.database, self.rows.ledger, self.clock)
        await payments.record(user.id, charge_id, RECEIPT, Invoice(USER, PACKAGE))

    async def plant(self, fault: str) -> None:
        """By somebody who may do everything. PostgreSQL counts what was deleted up to ten seconds later."""
        await self.owner.execute("alter table credit_entries disable trigger all")
        await self.owner.execute(fault)
        await self.owner.execute("select pg_stat_force_next_flush()")

    async def fill(self) -> dict[str, str]:
        """Ids by what became of them."""
        await self.rows.users.register(USER, "en")
        await self.rows.ledger.grant(USER, 50, "for everything", "g1")
        (delivered,), (failed,), (waiting,) = [await self.order() for _ in range(3)]
        several = await self.order(3)
        (released,) = await self.order()
        await self.attempt(delivered, 1, "REJECTED")
        await self.attempt(delivered, 2, "ACCEPTED", "FAIL")
        await self.attempt(delivered, 3, "ACCEPTED", "SUCCESS")
        await self.rows.videos.settle(delivered, VideoState.DELIVERED)
        await self.rows.videos.settle(failed, VideoState.FAILED, Failure(FailureClass.UNKNOWN))
        await self.rows.videos.settle(waiting, VideoState.WAITING)
        await self.rows.videos.cancel(several[0])
        await self.rows.videos.open(several[1])
        await self.rows.orders.release(released.rpartition("-v")[0], FailureClass.UNKNOWN, FailureReason.NONE)
        await self._pay_and_refund()
        return {
            "delivered": delivered,
            "failed": failed,
            "cancelled": several[0],
            "open": several[1],
            "order": delivered.rpartition("-v")[0],
        }

    async def _pay_and_refund(self) -> None:
        for charge_id in ("paid", "refunded", "refunded in full", "refunding"):
            await self.pay(charge_id)
        user = await self.rows.users.register(USER, "en")
        payments = Payments(self.database, self.rows.ledger, self.clock)
        await payments.record(user.id, "unclear", RECEIPT, None)
        await payments.begin_refund("refunded in full")
        await payments.mark_refunded("refunded in full")
        available = (await self.rows.ledger.balance(USER)).available
        await self.rows.ledger.grant(USER, 5 - available, "spent", "g2")
        await payments.begin_refund("refunded", forced=True)
        await payments.mark_refunded("refunded")
        await payments.begin_refund("refunding", forced=True)
        await self.rows.ledger.grant(USER, 9, "for later", "g3")


@pytest_asyncio.fixture
async def shop(database: Database, owner_url: str) -> AsyncIterator[Shop]:
    clock = HandClock(utc_now())
    owner = await asyncpg.connect(owner_url)
    yield Shop(database, owner, rows_of(database), Invariants(database, clock), clock)
    await owner.close()


FAULTS = {
    "a wallet that has more": ("update wallets set available = available + 1", "I1"),
    "a wallet that holds more": ("update wallets set reserved = reserved + 1", "I1"),
    "a wallet below zero": (
        "alter table wallets drop constraint wallets_available_check; update wallets set available = -1",
        "I1",
    ),
    "an entry that was changed": (
        "update credit_entries set available_delta = 4 where kind = 'welcome'",
        "I1",
    ),
    "an entry that is gone": (
        "delete from credit_entries where kind = 'welcome'",
        "I1",
    ),
    "an entry that came without its wallet": (
        """insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, available_after,
                                       reserved_after, created_at)
           select id, 'grant', 1, 0, 'grant:by hand', 1, 0, now() from users""",
        "I1",
    ),
    "a wallet that is gone": ("delete from wallets", "I1"),
    "a settlement that is gone": (
        "delete from credit_entries where cause = 'settle:' || '{failed}'",
        "I2",
    ),
    "a video closed by hand": ("update videos set state = 'DELIVERED' where id = '{open}'", "I2"),
    "a closed video that is open again": ("update videos set state = 'OPEN' where id = '{failed}'", "I2"),
    "a second settlement of a video": (
        """insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, video_id,
                                       available_after, reserved_after, created_at)
           select user_id, 'refund', 1, -1, 'settle:again', id, 9, 9, now() from videos
           where id = '{failed}'""",
        "I2",
    ),
    "a settlement without a reservation": (
        "update credit_entries set kind = 'void' where cause = 'reserve:' || '{order}'",
        "I2",
    ),
    "delivered, and refunded": ("update videos set state = 'DELIVERED' where id = '{failed}'", "I3"),
    "failed, and captured": ("update videos set state = 'FAILED' where id = '{delivered}'", "I3"),
    "cancelled, and captured": ("update videos set state = 'CANCELLED' where id = '{delivered}'", "I3"),
    "a price that changed afterwards": ("update videos set price_credits = 2 where id = '{cancelled}'", "I3"),
    "bought beside what may have been bought": (
        "update attempts set state = 'AMBIGUOUS' where id = '{delivered}-a1'; ",
        "I4",
    ),
    "a KIE task of a create that was refused": (
        "update attempts set kie_task_id = 'odd' where id = '{delivered}-a1'",
        "I4",
    ),
    "a payment with other credits": ("update payments set credits = 21 where charge_id = 'paid'", "I5"),
    "a payment that was credited twice": (
        """insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, charge_id,
                                       available_after, reserved_after, created_at)
           select user_id, 'purchase', 20, 0, 'purchase:again', charge_id, 9, 9, now() from payments
           where charge_id = 'paid'""",
        "I5",
    ),
    "a payment without its entry": ("update payments set charge_id = 'other' where charge_id = 'paid'", "I5"),
    "a refund of which the ledger knows nothing": (
        "update payments set state = 'REFUNDED' where charge_id = 'paid'",
        "I5",
    ),
    "a payment that is not paid back after all": (
        "update payments set state = 'PAID', debt_credits = 0 where charge_id = 'refunded'",
        "I5",
    ),
    "nobody looks after it": (
        "update videos set deadline_at = now() - interval '1 hour' where id = '{open}'",
        "I6",
    ),
    "nobody ends its delivery": (
        "update videos set deadline_at = now() - interval '1 hour', state = 'DELIVERING' where id = '{open}'",
        "I6",
    ),
}


async def drop_standing_index(shop: Shop) -> None:
    """It refuses what the check has to find."""
    await shop.owner.execute("drop index attempts_standing")


async def test_all_is_well(shop: Shop) -> None:
    await shop.fill()
    assert await shop.check() == {}
    assert await shop.check(complete=True) == {}
    assert await shop.check() == {}


@pytest.mark.parametrize("complete", [False, True], ids=["incremental", "complete"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_found_by_the_next_check(shop: Shop, fault: str, *, complete: bool) -> None:
    known = await shop.fill()
    await shop.check()
    await shop.check()
    await drop_standing_index(shop)
    planted, rule = FAULTS[fault]
    await shop.plant(planted.format(**known))
    found = await shop.check(complete=complete)
    assert rule in found, fault
    assert (await shop.check()).keys() == found.keys(), "and it stays"


async def test_what_was_written_before_is_not_looked_at_again(shop: Shop) -> None:
    await shop.fill()
    first = await shop.looked()
    assert min(first.rows.values()) >= 1
    quiet = await shop.looked()
    assert [quiet.rows[rule] for rule in Rule] == [0, 0, 0, 0, 0, 2], "only what is open"
    await shop.rows.ledger.grant(USER, 1, "one more", "g9")
    assert (await shop.looked()).rows[Rule.WALLETS] >= 1
    complete = await shop.looked(complete=True)
    assert [complete.rows[rule] for rule in Rule] == [1, 7, 7, 1, 5, 2]


async def test_a_row_that_was_committed_late_is_not_passed_over(shop: Shop, owner_url: str) -> None:
    """Written before two checks began, seen by the third."""
    await shop.fill()
    await shop.check()
    late = await asyncpg.connect(owner_url)
    transaction = late.transaction()
    await transaction.start()
    await late.execute(
        """insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, available_after,
                                       reserved_after, created_at)
           select id, 'grant', 1, 0, 'grant:late', 1, 0, now() - interval '1 hour' from users"""
    )
    for number in range(2):
        await shop.rows.ledger.grant(USER + 1, 1, "somebody else", f"later-{number}")
        assert await shop.check() == {}
    await transaction.commit()
    await late.close()
    assert list(await shop.check()) == ["I1"]


async def test_what_is_mended_is_noticed_and_what_breaks_again_is_news(shop: Shop) -> None:
    await shop.fill()
    await shop.check()
    await shop.owner.execute("update wallets set available = available + 1")
    assert (await shop.looked()).has_news
    news = await shop.invariants.news(5)
    assert [(rule, each.count) for rule, each in news.broken.items()] == [(Rule.WALLETS, 1)]
    await shop.invariants.told(news.through)
    again = await shop.looked()
    assert (again.has_news, again.broken_count(Rule.WALLETS)) == (False, 1)
    shop.clock.forward(60)
    await shop.owner.execute("update wallets set available = available - 1")
    mended = await shop.looked()
    assert (mended.has_news, dict(mended.broken)) == (True, {})
    news = await shop.invariants.news(5)
    assert (list(news.broken), list(news.mended)) == ([], [Rule.WALLETS])
    await shop.invariants.told(news.through)
    assert not (await shop.looked()).has_news
    shop.clock.forward(60)
    await shop.owner.execute("update wallets set available = available + 1")
    assert (await shop.looked()).has_news
    assert list((await shop.invariants.news(5)).broken) == [Rule.WALLETS]


async def test_what_was_mended_before_anybody_read_of_it_is_told_as_mended(shop: Shop) -> None:
    await shop.fill()
    await shop.owner.execute("update wallets set available = available + 1")
    await shop.check()
    await shop.owner.execute("update wallets set available = available - 1")
    await shop.check()
    news = await shop.invariants.news(5)
    assert (list(news.broken), list(news.mended)) == ([], [Rule.WALLETS])


async def test_thousands_are_all_counted_and_a_few_are_named(shop: Shop) -> None:
    await shop.fill()
    await shop.check()
    await shop.owner.execute(
        """insert into users (tg_user_id, created_at) select n, now() from generate_series(1000, 3999) n;
           insert into wallets (user_id, available) select id, 5 from users where tg_user_id >= 1000"""
    )
    checked = await shop.invariants.check(complete=False, ids_max=3)
    assert (checked.broken_count(Rule.WALLETS), len(checked.broken[Rule.WALLETS].subjects)) == (3_000, 3)
    await shop.owner.execute("update wallets set available = 0 where available = 5 and user_id > 1")
    assert await shop.check() == {}
    news = await shop.invariants.news(3)
    assert (news.mended[Rule.WALLETS].count, len(news.mended[Rule.WALLETS].subjects)) == (3_000, 3)


async def test_a_large_table_is_walked_in_several_checks_and_nothing_is_left_out(
    shop: Shop, database: Database
) -> None:
    await shop.fill()
    await shop.owner.execute(
        """insert into users (tg_user_id, created_at) select n, now() from generate_series(1000, 5999) n;
           insert into wallets (user_id) select id from users where tg_user_id >= 1000"""
    )
    slow = Invariants(database, shop.clock, Pace(pages_each=2, pages_each_of_all=2, pages_max=7))
    pages = await shop.owner.fetchval("select pg_relation_size('wallets') / 8192")
    rounds = -(-pages // 7)
    assert rounds > 2
    for _ in range(2 * rounds):
        assert dict((await slow.check(complete=False, ids_max=5)).broken) == {}
    first = await shop.owner.fetchval("select min(user_id) from wallets where user_id > 1")
    await slow.check(complete=False, ids_max=5)  # the walk has left the first pages behind
    await shop.owner.execute("update wallets set available = 1 where user_id = $1", first)
    found = [await slow.check(complete=False, ids_max=5) for _ in range(2 * rounds)]
    assert found[-1].broken_count(Rule.WALLETS) == 1


async def test_two_checks_at_once_hurt_nobody(shop: Shop) -> None:
    await shop.fill()
    await shop.owner.execute("update wallets set available = available + 1")
    await asyncio.gather(*(shop.looked(complete=each) for each in (True, False, False)))
    assert list(await shop.check()) == ["I1"]
    assert await shop.owner.fetchval("select count(*) from broken_invariants") == 1


async def test_work_under_way_is_never_found_broken(shop: Shop) -> None:
    """Orders are placed and settled while checks run: each statement sees whole transactions."""
    await shop.fill()
    await shop.rows.ledger.grant(USER, 100, "much", "g5")

    async def trade() -> None:
        for number in range(12):
            (video_id,) = await shop.order()
            captured = number % 2
            state = VideoState.DELIVERED if captured else VideoState.FAILED
            await shop.rows.videos.settle(
                video_id, state, None if captured else Failure(FailureClass.UNKNOWN)
            )

    trading = asyncio.create_task(trade())
    while not trading.done():
        for complete in (False, True):
            assert await shop.check(complete=complete) == {}
    await trading
    assert await shop.check() == {}


@pytest.mark.parametrize(
    ("now", "since", "looks_at_all"),
    [(1_000, 900, False), (1_000, 1_000, False), (1_000, 1_001, True), (2**33, 900, True),
     (2**33, 2**33 - 5, False), (1_000, FROZEN, True)],
)  # fmt: skip
def test_transactions_of_another_server_or_of_long_ago_mean_everything(
    now: int, since: int, *, looks_at_all: bool
) -> None:
    walk = Walk.begin(now, since)
    assert walk.looks_at_all is looks_at_all
    assert walk.since == (FROZEN if looks_at_all else max(3, since % 2**32))
