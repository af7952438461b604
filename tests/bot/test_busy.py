"""Busy evenings and maintenance: what is said, what is kept, and who is written to when it goes on."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bot.waiting import WaitingTeller
from domain.ids import new_draft_id
from domain.waiting import WaitReason
from store.database import Database
from store.switches import MAINTENANCE
from tests.bot.chat import VIDEO_MODELS, Person, RunningBot, button_data, labels
from tests.bot.test_after import placed
from tests.bot.test_buying import orders
from tests.bot.test_library import shown

FAR = datetime.now(UTC) + timedelta(days=1)
CAPACITY = 200  # two accounts of a hundred
ROUND_MINUTES = 2

QUEUE = """
    with person as (
        insert into users (tg_user_id, created_at) values (900001, now()) returning id
    ), draft as (
        insert into drafts (id, user_id, origin, template, photo_file_id, photo_unique_id, video_count,
                            price_credits, language, created_at)
        select $1, id, 'dialog', 'ugc', 'f', 'u', 1, 1, 'en', now() from person returning user_id
    ), bought as (
        insert into orders (id, user_id, video_count, price_credits, language, created_at, deadline_at,
                            workflow_started_at)
        select $1, user_id, 1, 1, 'en', now(), $3, now() from draft returning user_id
    ), waiting as (
        insert into videos (id, order_id, user_id, number, price_credits, deadline_at)
        select $1 || '-v' || n, $1, user_id, n, 1, $3 from bought, generate_series(1, $2::int) n
        returning id, user_id
    )
    insert into admission_queue (video_id, user_id, video_models, enqueued_at)
    select id, user_id, array['x'], now() from waiting
"""


async def others_wait(database: Database, minutes: float) -> None:
    """So many that one video more would take so long."""
    async with database.connection() as connection:
        await connection.execute(QUEUE, new_draft_id(), round(minutes / ROUND_MINUTES * CAPACITY), FAR)


async def nobody_waits(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("delete from admission_queue")


async def all_accounts_are_out(bot: RunningBot) -> None:
    for account in ("alpha", "beta"):
        await bot.parts.accounts.block_account(account, FAR, "BILLING 402")


async def accounts_are_back(bot: RunningBot) -> None:
    for account in ("alpha", "beta"):
        await bot.parts.accounts.keep_balance(account, kie_credits=1_000, enough_kie_credits=100)


async def rounds_pass(bot: RunningBot) -> None:
    """More than two of them."""
    await asyncio.sleep(12 * bot.parts.time_scale)


async def card_after(person: Person, words: str) -> dict[str, Any]:
    """The confirm card that follows a sentence."""
    await person.until(words)
    return await person.until("Price:")


@pytest.mark.parametrize(("minutes", "said"), [(4, ""), (12, "about 15 minutes"), (40, "I take no new ones")])
async def test_the_confirm_card_says_how_long(
    ann: Person, database: Database, minutes: int, said: str
) -> None:
    await others_wait(database, minutes)
    (card,) = await ann.to_step("confirm")
    assert said in card["text"]
    assert ("Many orders" in card["text"]) is (minutes == 12)
    await ann.press("Generate")
    assert len(await orders(database)) == (1 if minutes == 40 else 2)


@pytest.mark.parametrize(("minutes", "said"), [(4, "Usually 1–5 minutes"), (22, "about 25 minutes")])
async def test_the_accepted_card_keeps_what_the_confirm_card_promised(
    ann: Person, database: Database, minutes: int, said: str
) -> None:
    await others_wait(database, minutes)
    (card,) = await ann.to_step("confirm")
    await ann.press("Generate")
    accepted = await shown(ann, card["message_id"])
    assert "Accepted" in str(accepted["text"])
    assert said in str(accepted["text"])
    assert labels(accepted) == ["🔁 More of this product", "✖️ Cancel the order"]


@pytest.mark.parametrize("closed_by", ["crowd", "maintenance"])
async def test_who_cannot_pay_hears_what_is_missing_and_takes_no_place(
    ann: Person, bot: RunningBot, database: Database, closed_by: str
) -> None:
    await ann.to_step("count")
    await ann.press("5")
    if closed_by == "crowd":
        await others_wait(database, 40)
    else:
        await bot.parts.switches.set(MAINTENANCE, True)
    (short,) = await ann.press("Generate")
    assert "you have 3 credits" in short["text"]
    assert labels(short)[0] == "Make 3 with what you have"
    assert await bot.parts.waiting_drafts.reasons() == set()
    await bot.parts.ledger.grant(ann.id, 2, "a friend", "g1")
    (kept,) = await ann.press("Generate")
    assert "Your order is kept" in kept["text"]


async def test_too_busy_keeps_the_draft_and_writes_when_it_is_free(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    (card,) = await ann.to_step("confirm")
    await others_wait(database, 40)
    for _ in range(2):
        (kept,) = await ann.press("Generate", message_id=card["message_id"])
        assert "Too busy" in kept["text"]
        assert "Nothing was charged" in kept["text"]
    assert (await bot.parts.ledger.balance(ann.id)).available == 3
    await nobody_waits(database)
    again = await card_after(ann, "free again")
    assert button_data(again, "Generate") == button_data(card, "Generate"), "the same order"
    await ann.press("Generate", message_id=again["message_id"])
    assert "Accepted" in (await ann.messages())[-1]["text"]
    await rounds_pass(bot)
    assert await ann.answers() == [], "written to once"


async def test_between_ten_and_thirty_minutes_nobody_is_written_to(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    (card,) = await ann.to_step("confirm")
    await others_wait(database, 40)
    await ann.press("Generate")
    await others_wait_again(database, 20)
    await rounds_pass(bot)
    assert await ann.answers() == []
    await ann.press("Generate", message_id=card["message_id"])
    assert len(await orders(database)) == 2, "but an order is taken"


async def others_wait_again(database: Database, minutes: float) -> None:
    """So many instead of those who wait now, and at no moment nobody."""
    statement = (
        "insert into admission_queue (video_id, user_id, video_models, enqueued_at)"
        " select id, user_id, array['x'], now() from videos order by id limit $1"
    )
    async with database.transaction() as connection:
        await connection.execute("delete from admission_queue")
        await connection.execute(statement, round(minutes / ROUND_MINUTES * CAPACITY))


async def test_without_any_account_an_order_waits(ann: Person, bot: RunningBot, database: Database) -> None:
    (card,) = await ann.to_step("confirm")
    await all_accounts_are_out(bot)
    (kept,) = await ann.press("Generate")
    assert "Too busy" in kept["text"]
    await accounts_are_back(bot)
    await card_after(ann, "free again")
    await ann.press("Generate", message_id=card["message_id"])
    assert len(await orders(database)) == 1


async def test_an_account_that_only_pauses_refuses_nobody(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=60)
    for account in ("alpha", "beta"):
        await bot.parts.accounts.block_account(account, soon, "RATE_LIMIT")
    await ann.to_step("confirm")
    await ann.press("Generate")
    assert len(await orders(database)) == 1


async def test_maintenance_takes_no_order_and_says_when_it_is_over(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    (card,) = await ann.to_step("confirm")
    await bot.parts.switches.set(MAINTENANCE, True)
    (kept,) = await ann.press("Generate")
    assert "working on the bot" in kept["text"]
    assert await orders(database) == []
    await rounds_pass(bot)
    assert await ann.answers() == []
    await bot.parts.switches.set(MAINTENANCE, False)
    again = await card_after(ann, "free again")
    assert button_data(again, "Generate") == button_data(card, "Generate")


async def test_an_order_on_its_way_is_still_recognised(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    """A double tap gets its toast, not the sentence about maintenance."""
    (card,) = await ann.to_step("confirm")
    await ann.press("Generate")
    await bot.parts.switches.set(MAINTENANCE, True)
    tap = {"message_id": card["message_id"], "callback_data": button_data(card, "Generate"), "stale": True}
    await ann.do("press", **tap)
    assert await ann.answers() == []
    assert len(await orders(database)) == 1


async def test_who_dropped_or_ordered_it_meanwhile_is_left_in_peace(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient
) -> None:
    bob = await Person.join(http, 502)
    await ann.to_step("confirm")
    (card,) = await bob.to_step("confirm")
    await all_accounts_are_out(bot)
    await ann.press("Generate")
    await bob.press("Generate")
    await ann.text("/cancel")
    await bot.parts.orders.place(button_data(card, "Generate").split(":")[1], bob.id)
    await accounts_are_back(bot)
    await rounds_pass(bot)
    assert await ann.answers() == []
    assert await bob.answers() == []


async def test_only_as_many_as_there_is_room_for_and_the_oldest_first(
    bot: RunningBot, database: Database, http: httpx.AsyncClient
) -> None:
    people = [await Person.join(http, number) for number in (511, 512, 513)]
    for person in people:
        await person.to_step("confirm")
    await others_wait(database, 40)
    for person in people:
        await person.press("Generate")
    await others_wait_again(database, 10 - 2 * ROUND_MINUTES / CAPACITY)
    for person in people[:2]:
        await person.until("free again")
        await person.until("Price:")
    await rounds_pass(bot)
    assert await people[2].answers() == [], "the room of who was told is kept for him"


async def test_who_blocked_the_bot_is_written_to_when_he_is_back(ann: Person, bot: RunningBot) -> None:
    await ann.to_step("confirm")
    await all_accounts_are_out(bot)
    await ann.press("Generate")
    await ann.do("block")
    await ann.settled()
    await accounts_are_back(bot)
    await rounds_pass(bot)
    await ann.do("unblock")
    await card_after(ann, "free again")


async def test_several_bots_write_once(ann: Person, bot: RunningBot) -> None:
    await ann.to_step("confirm")
    await all_accounts_are_out(bot)
    await ann.press("Generate")
    tellers = [WaitingTeller(bot.parts, bot.feeder) for _ in range(4)]
    await accounts_are_back(bot)
    await asyncio.gather(*(teller.tell() for teller in tellers))
    await ann.until("Price:")
    await rounds_pass(bot)
    assert await ann.answers() == []


async def test_telegram_away_is_no_reason_to_forget_somebody(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient
) -> None:
    await ann.to_step("confirm")
    await all_accounts_are_out(bot)
    await ann.press("Generate")
    limited = {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests",
        "parameters": {"retry_after": 60},
    }
    await http.post(
        "/control/faults", json={"where": "sendMessage", "status": 429, "body": limited, "times": 1}
    )
    await accounts_are_back(bot)
    await card_after(ann, "free again")


async def test_a_video_model_that_is_back_is_told_of_with_a_way_to_order(
    ann: Person, bot: RunningBot
) -> None:
    order_id = await placed(ann, "1")
    user = await bot.parts.users.find(ann.id)
    assert user is not None
    for video_model in VIDEO_MODELS:
        await bot.parts.accounts.mark_model(video_model, FAR, "paused")
    await bot.parts.waiting_drafts.remember(user.id, order_id, WaitReason.MODEL_RESTS)
    await rounds_pass(bot)
    assert await ann.answers() == []
    await bot.parts.accounts.lift_mark(VIDEO_MODELS[1])
    told = await ann.until("works again")
    assert labels(told)[0] == "🔁 More of this product"
    (card,) = await ann.press("More of this product", message_id=told["message_id"])
    assert "Generate" in labels(card)[0]
    await bot.parts.waiting_drafts.remember(user.id, order_id, WaitReason.MODEL_RESTS)
    await rounds_pass(bot)
    assert await ann.answers() == [], "the same order is told of once"
