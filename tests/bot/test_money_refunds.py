"""Money on its way back: begun by an administrator, or by Telegram itself."""

import asyncio
from dataclasses import replace

import asyncpg
import httpx

from bot.payments_refunds import RefundOutbox
from domain.payments import (
    Invoice,
    InvoiceWords,
    Misfit,
    MovementPage,
    Package,
    Receipt,
    RefundAnswer,
    RefundAnswerKind,
)
from store.database import Database
from store.payments import RefundStart
from tests.bot.chat import Person, RunningBot
from tests.bot.money import (
    admin,
    bought,
    credits_of,
    fault,
    payment_states,
    purchases,
    refunded_stars,
    refusal,
    until_state,
)
from tests.run.programs import ended


async def spend(bot: RunningBot, person: Person, credits_: int) -> None:
    await bot.parts.ledger.grant(person.id, -credits_, "spent", f"spent-{credits_}")


async def test_a_refund_takes_the_credits_sends_the_stars_and_tells(
    ann: Person, bot: RunningBot, database: Database, http: httpx.AsyncClient
) -> None:
    charge_id = await bought(ann)
    await ann.answers()
    assert (await bot.parts.payments.begin_refund(charge_id)).start is RefundStart.BEGUN
    told = await ann.until("500 ⭐ went back")
    assert "20 credits from your balance. Balance now: 3 credits" in told["text"]
    assert await payment_states(database) == [("REFUNDED", 20, 0)]
    assert await refunded_stars(http) == [True]
    await ann.settled()
    await asyncio.sleep(0.5)
    assert await ann.answers() == []  # Telegram's own message about it is not a second refund
    assert await purchases(database) == [("purchase", 20), ("purchase_refund", -20)]


async def test_a_refund_begun_twice_is_one_refund(
    ann: Person, bot: RunningBot, database: Database, http: httpx.AsyncClient
) -> None:
    charge_id = await bought(ann)
    begun = await asyncio.gather(*(bot.parts.payments.begin_refund(charge_id) for _ in range(3)))
    assert [each.start for each in begun].count(RefundStart.BEGUN) == 1
    await until_state(database, "REFUNDED")
    assert (await bot.parts.payments.begin_refund(charge_id)).start is RefundStart.REFUNDED
    assert await credits_of(ann, database) == 3
    assert await refunded_stars(http) == [True]


async def test_spent_credits_are_refunded_only_by_force(
    ann: Person, bot: RunningBot, database: Database, http: httpx.AsyncClient
) -> None:
    charge_id = await bought(ann)
    await ann.answers()
    await spend(bot, ann, 15)
    begun = await bot.parts.payments.begin_refund(charge_id)
    assert (begun.start, begun.missing_credits) == (RefundStart.SPENT, 12)
    assert await refunded_stars(http) == [False]
    await bot.parts.payments.begin_refund(charge_id, forced=True)
    assert "8 credits from your balance. Balance now: 0 credits" in (await ann.until("went back"))["text"]
    assert await payment_states(database) == [("REFUNDED", 20, 12)]


async def test_an_outage_delays_a_refund_and_takes_nothing_twice(
    ann: Person, bot: RunningBot, database: Database, http: httpx.AsyncClient
) -> None:
    charge_id = await bought(ann)
    await fault(http, "refundStarPayment", kind="drop_request", times=1)
    await bot.parts.payments.begin_refund(charge_id)
    await until_state(database, "REFUNDED")
    assert await purchases(database) == [("purchase", 20), ("purchase_refund", -20)]


async def test_a_refund_whose_answer_was_lost_is_found_done(
    ann: Person, bot: RunningBot, database: Database, http: httpx.AsyncClient
) -> None:
    """`refunded_payment` is held back: only CHARGE_ALREADY_REFUNDED says so."""
    charge_id = await bought(ann)
    await ann.answers()
    await bot.stop()
    await bot.parts.payments.begin_refund(charge_id)
    await fault(http, "refundStarPayment", kind="drop_answer")
    outbox = RefundOutbox(bot.parts)
    await outbox.empty()
    assert await payment_states(database) == [("REFUNDING", 20, 0)]
    assert await refunded_stars(http) == [True]
    async with asyncio.timeout(60):
        while (await payment_states(database))[0][0] == "REFUNDING":
            await outbox.empty()
            await asyncio.sleep(0.1)
    assert await payment_states(database) == [("REFUNDED", 20, 0)]
    bot.start()
    await ann.settled()
    told = [each for each in await ann.answers() if "went back" in each["text"]]
    assert len(told) == 1


async def test_two_bots_make_one_call_of_one_refund(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient
) -> None:
    charge_id = await bought(ann)
    await bot.stop()
    await bot.parts.payments.begin_refund(charge_id)
    await asyncio.gather(*(RefundOutbox(bot.parts).empty() for _ in range(4)))
    journal = (await http.get("/control/journal", params={"where": "refundStarPayment"})).json()
    assert len(journal["entries"]) == 1


async def test_a_refusal_of_telegram_is_kept_and_told_to_admins(
    ann: Person, bot: RunningBot, database: Database, http: httpx.AsyncClient
) -> None:
    boss = await admin(http)
    charge_id = await bought(ann)
    await ann.answers()
    await fault(http, "refundStarPayment", **refusal(400, "Bad Request: CHARGE_TOO_OLD"))
    await bot.parts.payments.begin_refund(charge_id)
    alert = await boss.until("refuses a refund")
    assert "CHARGE_TOO_OLD" in alert["text"]
    assert charge_id in alert["text"]
    payment = await bot.parts.payments.find(charge_id)
    assert payment is not None
    assert (payment.state, "CHARGE_TOO_OLD" in payment.refund_error) == ("REFUND_REFUSED", True)
    assert await ann.answers() == []
    again = await bot.parts.payments.begin_refund(charge_id)
    assert again.start is RefundStart.CONTINUED
    await until_state(database, "REFUNDED")
    assert await purchases(database) == [("purchase", 20), ("purchase_refund", -20)]


async def test_a_refund_of_telegrams_own_support_takes_the_credits(
    ann: Person, bot: RunningBot, database: Database, http: httpx.AsyncClient
) -> None:
    charge_id = await bought(ann)
    await ann.answers()
    await spend(bot, ann, 20)
    (await http.post("/control/stars/refund", json={"charge_id": charge_id})).raise_for_status()
    told = await ann.until("500 ⭐ went back")
    assert "3 credits from your balance. Balance now: 0 credits" in told["text"]
    assert await payment_states(database) == [("REFUNDED", 20, 17)]


async def test_a_refund_of_a_payment_nobody_knows_is_told_to_admins(
    ann: Person, database: Database, owner_url: str, http: httpx.AsyncClient
) -> None:
    boss = await admin(http)
    await bought(ann)
    await ann.settled()
    owner = await asyncpg.connect(owner_url)
    await owner.execute("delete from payments")
    await owner.close()
    charge_id = (await http.get("/control/stars")).json()["transactions"][0]["charge_id"]
    (await http.post("/control/stars/refund", json={"charge_id": charge_id})).raise_for_status()
    assert charge_id in (await boss.until("not in our books"))["text"]
    assert await credits_of(ann, database) == 23


async def test_another_provider_fits_behind_the_same_interface(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    charge_id = await bought(ann)
    await bot.stop()
    await bot.parts.payments.begin_refund(charge_id)
    slow = Vouchers([RefundAnswer(RefundAnswerKind.LATER, "closed"), RefundAnswer(RefundAnswerKind.DONE)])
    outbox = RefundOutbox(replace(bot.parts, provider=slow, time_scale=0.001))
    await outbox.empty()
    await asyncio.sleep(0.1)
    await outbox.empty()
    assert await payment_states(database) == [("REFUNDED", 20, 0)]
    assert slow.asked == [charge_id] * 2


class Vouchers:
    """Money of another kind."""

    def __init__(self, answers: list[RefundAnswer]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def offer(self, invoice: Invoice, words: InvoiceWords) -> None:
        raise NotImplementedError(invoice, words)

    def invoice_of(self, receipt: Receipt) -> Invoice | Misfit:
        return Invoice(receipt.tg_user_id, Package("voucher", 1, receipt.amount))

    async def refund(self, tg_user_id: int, charge_id: str) -> RefundAnswer:
        assert tg_user_id
        self.asked.append(charge_id)
        return self._answers.pop(0)

    async def movements(self, offset: int) -> MovementPage:
        raise NotImplementedError(offset)


async def test_the_operator_refunds_from_the_command_line(
    ann: Person, bot: RunningBot, database: Database, database_url: str
) -> None:
    charge_id = await bought(ann)
    await ann.answers()
    await spend(bot, ann, 15)
    settings = {"DATABASE_URL": database_url}
    unasked, spent, unknown = await asyncio.gather(
        ended("admin_main.py", "refund-payment", charge_id, settings=settings),
        ended("admin_main.py", "refund-payment", charge_id, "--yes", settings=settings),
        ended("admin_main.py", "refund-payment", "stx-none", "--yes", settings=settings),
    )
    assert f"user {ann.id} paid 500 XTR for 20 credits: PAID" in unasked.out
    assert unasked.code == 1
    assert (spent.code, "12 of the credits are spent" in spent.err) == (1, True)
    assert (unknown.code, unknown.err) == (1, "there is no payment stx-none\n")
    assert await payment_states(database) == [("PAID", 20, 0)]
    forced = await ended("admin_main.py", "refund-payment", charge_id, "--forced", "--yes", settings=settings)
    assert forced.code == 0
    assert "12 credits were spent and are written down as a debt" in forced.out
    await ann.until("500 ⭐ went back")
