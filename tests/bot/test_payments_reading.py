"""Telegram's own books are read again: what never reached ours is booked, once, and its payer hears of it."""

from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
import httpx

from bot.payments_reading import READ_PAYMENTS, PaymentsReader
from domain.clock import utc_now
from store.database import Database
from tests.bot.chat import Person, RunningBot
from tests.bot.money import bought, credits_of, fault, payment_states, purchases, refusal


async def lost(owner_url: str) -> None:
    """As a restore loses it: the payment, its entry and the credits."""
    owner = await asyncpg.connect(owner_url)
    async with owner.transaction():
        await owner.execute("alter table credit_entries disable trigger credit_entries_append_only")
        await owner.execute("delete from credit_entries where kind like 'purchase%'")
        await owner.execute("delete from payments")
        await owner.execute(
            "update wallets w set available = (select sum(available_delta) from credit_entries e"
            " where e.user_id = w.user_id)"
        )
        await owner.execute("alter table credit_entries enable trigger credit_entries_append_only")
        await owner.execute("insert into epochs (epoch, raised_at) values (1, now())")
    await owner.close()


async def test_a_lost_payment_is_booked_once_and_told(
    ann: Person, bot: RunningBot, database: Database, owner_url: str
) -> None:
    await bought(ann)
    await ann.answers()
    await lost(owner_url)
    assert await bot.parts.restores.payments_unread()

    assert await PaymentsReader(bot.parts).read() == 1

    assert "20 credits" in (await ann.until("Balance now: 23 credits"))["text"]
    assert await PaymentsReader(bot.parts).read() == 0
    assert await purchases(database) == [("purchase", 20)]
    assert not await bot.parts.restores.payments_unread()


async def test_a_lost_refund_takes_the_credits_once(
    ann: Person, bot: RunningBot, database: Database, owner_url: str, http: httpx.AsyncClient
) -> None:
    charge_id = await bought(ann)
    await ann.answers()
    (await http.post("/control/stars/refund", json={"charge_id": charge_id})).raise_for_status()
    await ann.until("went back")
    await lost(owner_url)
    assert await PaymentsReader(bot.parts).read() == 2
    assert await PaymentsReader(bot.parts).read() == 0
    assert await payment_states(database) == [("REFUNDED", 20, 0)]
    assert await credits_of(ann, database) == 3


async def test_what_is_still_on_its_way_is_left_to_its_update(
    ann: Person, bot: RunningBot, database: Database, owner_url: str
) -> None:
    await bought(ann)
    await lost(owner_url)
    assert await PaymentsReader(bot.parts).read(timedelta(minutes=10)) == 0
    assert await payment_states(database) == []


async def test_a_page_that_is_not_full_is_the_last(ann: Person, bot: RunningBot) -> None:
    await bought(ann)
    page = await bot.parts.provider.movements(0)
    assert page.next_offset is None
    assert [each.is_refund for each in page.movements] == [False]
    assert (await bot.parts.provider.movements(1)).movements == ()


async def test_telegram_away_leaves_it_for_the_next_round(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient
) -> None:
    await bought(ann)
    tomorrow = utc_now() + timedelta(days=2)
    reader = PaymentsReader(replace(bot.parts, clock=lambda: tomorrow))
    await fault(http, "getStarTransactions", **refusal(500, "Internal Server Error"), times=1)
    await reader.read_daily()
    assert await last_read(bot) != tomorrow
    await reader.read_daily()
    assert await last_read(bot) == tomorrow


async def test_a_pause_that_telegram_asks_for_does_not_begin_the_books_anew(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient
) -> None:
    await bought(ann)
    refused = refusal(429, "Too Many Requests: retry after 1")
    refused["body"] |= {"parameters": {"retry_after": 1}}
    await fault(http, "getStarTransactions", **refused, times=1)
    await PaymentsReader(bot.parts).read()
    assert await last_read(bot) is not None


async def last_read(bot: RunningBot) -> datetime | None:
    last = await bot.parts.chores.last(READ_PAYMENTS)
    return last.ended_at if last else None
