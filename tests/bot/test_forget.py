"""/forget: said exactly, asked once, done once; and what happens to whoever comes back."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.forget import ANSWER_WITHIN
from clients.fingerprints import Fingerprints
from domain.clock import utc_now
from domain.ids import video_id
from domain.orders import VideoState
from store.database import Database
from store.forget import Outcome
from tests.bot.chat import (
    ADMIN_ID,
    TOKEN,
    Person,
    RunningBot,
    button_data,
    labels,
    picture,
    running_bot,
)
from tests.bot.money import bought, credits_of, invoice, paid_update, payment_states, signed
from tests.store.test_forget import broken_wallets, rows_with

WORDS = "@ann_the_seller sells mugs"
ANN = 700_700_501  # looked for in every row: a short number stands in some time of day


@pytest.fixture
def ann_id() -> int:
    return ANN


async def ordered(ann: Person, bot: RunningBot) -> str:
    """An order with words of hers, delivered."""
    await ann.to_step("own_prompt")
    await ann.text(WORDS)
    (card,) = await ann.press("1")
    order_id = button_data(card, "Generate").split(":")[1]
    await ann.press("Generate")
    await bot.parts.videos.keep_result(video_id(order_id, 1), f"videos/{order_id}.mp4", 1, 1, 1.0)
    await bot.parts.videos.keep_file_id(video_id(order_id, 1), "video-file-id-of-ann")
    await bot.parts.videos.settle(video_id(order_id, 1), VideoState.DELIVERED)
    return order_id


async def people(database: Database) -> list[tuple[int, int | None]]:
    async with database.connection() as connection:
        rows = await connection.fetch("select id, tg_user_id from users order by id")
        return [(row["id"], row["tg_user_id"]) for row in rows]


async def shown(person: Person) -> dict[str, Any]:
    """The bot's last message as it reads now."""
    return [each for each in await person.messages() if each["from_bot"]][-1]


async def test_it_says_what_goes_and_what_is_lost_and_does_it_on_yes(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    await ordered(ann, bot)
    (asked,) = await ann.text("/forget")
    assert "2 credits" in asked["text"]
    assert "in My videos now: 1" in asked["text"]
    assert "/paysupport" in asked["text"]
    assert await people(database) == [(1, ANN)]
    await ann.press("Yes, delete everything")
    done = await shown(ann)
    assert "Your data is deleted" in done["text"]
    assert done["message_id"] == asked["message_id"]
    assert done["buttons"] == []
    assert await rows_with(database, str(ANN), WORDS, "video-file-id-of-ann") == []
    assert await people(database) == [(1, None)]
    assert await broken_wallets(database) == []


async def test_no_keeps_everything(ann: Person, database: Database) -> None:
    await ann.text("/start")
    await ann.text("/forget")
    await ann.press("Keep it")
    assert "Nothing was deleted. You have 3 credits" in (await shown(ann))["text"]
    assert await credits_of(ann, database) == 3


async def test_the_button_stands_under_privacy(ann: Person) -> None:
    (card,) = await ann.text("/privacy")
    assert "/forget" in card["text"]
    (asked,) = await ann.press("Delete my data")
    assert labels(asked) == ["🗑 Yes, delete everything", "Keep it"]


@pytest.mark.usefixtures("bot")
async def test_in_russian(http: httpx.AsyncClient) -> None:
    ira = await Person.join(http, 502, "ru")
    (asked,) = await ira.text("/forget")
    assert "Удалить всё?" in asked["text"]
    await ira.press("Да, удалить всё")
    assert "Ваши данные удалены" in (await shown(ira))["text"]
    (again,) = await ira.text("привет")
    assert "я вас больше не знаю" in again["text"]


async def test_orders_in_the_making_are_waited_for(ann: Person, database: Database) -> None:
    await ann.to_step("confirm")
    await ann.press("Generate")
    (told,) = await ann.text("/forget")
    assert "still in the making" in told["text"]
    assert "You have 2 credits" in told["text"]
    assert "📋 My orders" in labels(told)
    assert await people(database) == [(1, ANN)]


async def test_an_order_placed_after_the_question_stops_the_yes(ann: Person, database: Database) -> None:
    await ann.to_step("confirm")
    (asked,) = await ann.text("/forget")
    yes = button_data(asked, "Yes")
    confirm = next(each for each in await ann.messages() if "Generate" in str(each["buttons"]))
    await ann.press("Generate", message_id=confirm["message_id"])
    await ann.press_data(yes)
    assert "still in the making" in str(await ann.messages())
    assert await people(database) == [(1, ANN)]


async def test_two_yes_at_once_are_one(ann: Person, http: httpx.AsyncClient, database: Database) -> None:
    await ann.text("/start")
    (asked,) = await ann.text("/forget")
    data = button_data(asked, "Yes")
    await asyncio.gather(
        *(ann.do("press", message_id=asked["message_id"], callback_data=data, stale=True) for _ in range(2))
    )
    await ann.settled()
    assert [each["text"] for each in await ann.answers()] == []
    assert "Your data is deleted" in (await shown(ann))["text"]
    assert await people(database) == [(1, None)]
    assert await personal(database) == []
    toasts = (await http.get("/control/journal", params={"where": "answerCallbackQuery"})).json()["entries"]
    assert any("Your data was deleted" in str(each) for each in toasts)


async def personal(database: Database) -> list[str]:
    """Without how fast somebody goes and whose turn it is: that goes with the second broom."""
    lines = await rows_with(database, str(ANN))
    return [line for line in lines if not line.startswith(("rate_limits", "chat_leases"))]


async def test_a_yes_about_another_balance_asks_again(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    await ann.text("/start")
    (asked,) = await ann.text("/forget")
    await bot.parts.ledger.grant(ANN, 4, "a gift", "g1")
    await ann.press_data(button_data(asked, "Yes"))
    again = next(each for each in await ann.messages() if each["message_id"] == asked["message_id"])
    assert "Your balance has changed" in again["text"]
    assert "7 credits" in again["text"]
    assert await people(database) == [(1, ANN)]
    await ann.press("Yes, delete everything", message_id=asked["message_id"])
    assert await people(database) == [(1, None)]


@pytest.mark.parametrize(
    "data",
    [
        "forget:yes",
        "forget:yes.",
        "forget:yes.9999999999.3",
        "forget:yes.99999999999.3",
        "forget:yes.1.3",
        "forget:yes.1763712000.3.1",
        "forget:yes.1763712000.'; drop table users",
        "forget:maybe",
    ],
)
async def test_a_yes_that_nobody_was_asked_for_is_old(ann: Person, database: Database, data: str) -> None:
    await ann.text("/start")
    await ann.press_data(data)
    assert await people(database) == [(1, ANN)]


async def test_a_yes_of_yesterday_is_old(ann: Person, database: Database) -> None:
    await ann.text("/start")
    asked_at = utc_now() - ANSWER_WITHIN - timedelta(seconds=2)
    await ann.press_data(f"forget:yes.{int(asked_at.timestamp())}.3")
    assert await people(database) == [(1, ANN)]


async def test_whoever_is_gone_stays_gone_until_he_says_start(ann: Person, database: Database) -> None:
    (card,) = await ann.to_step("confirm")
    (asked,) = await ann.text("/forget")
    old_yes = button_data(asked, "Yes")
    await ann.press("Yes, delete everything")
    await ann.press_data(button_data(card, "Generate"))
    (told,) = await ann.text("A blue mug")
    assert "/start begins anew" in told["text"]
    assert "Your data was deleted" in str(await ann.photo(picture()))
    await ann.do("block")
    await ann.settled()
    assert await people(database) == [(1, None)]
    await ann.do("unblock")
    await ann.settled()
    assert await people(database) == [(1, None)]
    (menu, *_) = await ann.text("/start")
    assert "Short videos of your product" in menu["text"]
    assert await people(database) == [(1, None), (2, ANN)]
    assert await credits_of(ann, database) == 0
    await ann.press_data(old_yes)  # of the life before
    assert await people(database) == [(1, None), (2, ANN)]
    (nothing,) = await ann.text("/videos")
    assert "There are none yet" in nothing["text"]


async def test_stars_that_come_after_forgetting_are_a_new_persons(ann: Person, database: Database) -> None:
    shown_invoice = await invoice(ann)
    (asked,) = await ann.text("/forget")
    await ann.press_data(button_data(asked, "Yes"))
    assert await people(database) == [(1, None)]
    paid = await ann.do("pay", message_id=shown_invoice["message_id"])
    assert paid["paid"], paid
    await ann.settled()
    assert await people(database) == [(1, None), (2, ANN)]
    assert await credits_of(ann, database) == 20


async def test_stars_that_come_while_an_administrator_forgets_the_payer_are_a_new_persons(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    """The payment has found the old person, and waits behind the one who forgets him."""
    await ann.text("/start")
    mark = bot.parts.fingerprints.of(ANN)
    async with asyncio.timeout(20), database.transaction() as connection:
        await connection.execute("select 1 from wallets for update")
        forgetting = asyncio.create_task(bot.parts.forgetting.forget(ANN, mark))
        await waiting(database, 1)
        paying = asyncio.create_task(paid_update(ann, invoice_payload=signed(ANN)))
        await waiting(database, 2)
    assert await forgetting is Outcome.FORGOTTEN
    await paying
    assert await people(database) == [(1, None), (2, ANN)]
    assert await credits_of(ann, database) == 20
    assert await broken_wallets(database) == []


async def waiting(database: Database, count: int) -> None:
    """So many of this database wait for a row that somebody else holds."""
    query = """select count(*) from pg_stat_activity
               where datname = current_database() and wait_event_type = 'Lock'"""
    while True:
        async with database.connection() as connection:
            if await connection.fetchval(query) == count:
                return
        await asyncio.sleep(0.05)


async def test_a_refund_of_telegrams_own_after_forgetting_is_booked_and_told_to_nobody(
    ann: Person, database: Database, http: httpx.AsyncClient
) -> None:
    charge_id = await bought(ann)
    await ann.answers()
    (asked,) = await ann.text("/forget")
    assert "23 credits" in asked["text"]
    await ann.press("Yes, delete everything")
    (await http.post("/control/stars/refund", json={"charge_id": charge_id})).raise_for_status()
    assert await ann.answers() == []
    assert await payment_states(database) == [("REFUNDED", 20, 20)]
    assert await people(database) == [(1, None)]
    assert await broken_wallets(database) == []


async def test_an_administrator_forgets_somebody_and_the_records_keep_no_number(
    ann: Person, boss: Person, database: Database
) -> None:
    await ann.text("/start")
    await boss.text("/start")
    await boss.text(f"/user {ANN}")
    (asked,) = await boss.text(f"/forget {ANN}")
    assert str(ANN) in asked["text"]
    assert "3 credits" in asked["text"]
    await boss.press("Yes", message_id=asked["message_id"])
    assert "Your data is deleted" in (await ann.until("deleted"))["text"]
    assert await people(database) == [(1, None), (2, ADMIN_ID)]
    assert await personal(database) == []
    async with database.connection() as connection:
        actions = await connection.fetch("select admin_tg_id, action, target from admin_actions order by id")
    assert [tuple(row) for row in actions] == [
        (ADMIN_ID, "look", "user #1"),
        (ADMIN_ID, "forget", "user #1"),
    ]
    await boss.press_data(button_data(asked, "Yes"))
    assert len(await people(database)) == 2
    (nobody,) = await boss.text(f"/user {ANN}")
    assert "has ever talked" in nobody["text"]


async def test_an_administrators_question_that_was_overtaken(
    ann: Person, boss: Person, database: Database
) -> None:
    await ann.to_step("confirm")
    (asked,) = await boss.text(f"/forget {ANN}")
    await ann.press("Generate")
    await boss.press("Yes", message_id=asked["message_id"])
    assert "orders in the making 1" in str(await boss.messages())
    (not_yet,) = await boss.text(f"/forget {ANN}")
    assert "Nothing was deleted" in not_yet["text"]
    assert (await people(database))[0] == (1, ANN)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/forget", "Like this"),
        ("/forget ann", "Like this"),
        ("/forget 0501", "Like this"),
        ("/forget 777", "has ever talked"),
        (f"/forget {ADMIN_ID}", "is an administrator"),
    ],
)
async def test_what_an_administrator_may_not_forget(boss: Person, command: str, said: str) -> None:
    (told,) = await boss.text(command)
    assert said in told["text"]


async def test_an_administrator_is_not_forgotten_by_the_button(boss: Person, database: Database) -> None:
    await boss.text("/privacy")
    (told,) = await boss.press("Delete my data")
    assert "You are an administrator" in told["text"]
    await boss.press_data(f"forget:yes.{int(utc_now().timestamp())}.3")
    assert await people(database) == [(1, ADMIN_ID)]


async def test_others_cannot_forget_somebody_else(
    ann: Person, http: httpx.AsyncClient, database: Database
) -> None:
    bob = await Person.join(http, 777)
    await ann.text("/start")
    (asked,) = await bob.text(f"/forget {ANN}")
    assert "Delete my data" in asked["text"]
    await bob.press("Yes, delete everything")
    assert await people(database) == [(1, ANN), (2, None)]


async def test_a_refund_to_somebody_who_is_forgotten_is_refused_in_words(
    ann: Person, boss: Person, database: Database
) -> None:
    charge_id = await bought(ann)
    await ann.answers()
    await ann.text("/forget")
    await ann.press("Yes, delete everything")
    (told,) = await boss.text(f"/refund {charge_id}")
    assert "asked to be forgotten" in told["text"]
    assert (await payment_states(database))[0][0] == "PAID"


async def test_the_answer_is_lost_and_the_deed_is_done(
    ann: Person, http: httpx.AsyncClient, database: Database
) -> None:
    await ann.text("/start")
    (asked,) = await ann.text("/forget")
    for where in ("editMessageText", "sendMessage"):
        await http.post("/control/faults", json={"where": where, "status": 502, "times": 3})
    await ann.press_data(button_data(asked, "Yes"))
    assert await people(database) == [(1, None)]
    assert "Sorry" not in str(await ann.messages())


async def test_money_that_fits_nothing_after_forgetting_is_still_booked(
    ann: Person, database: Database
) -> None:
    await ann.text("/start")
    await ann.text("/forget")
    await ann.press("Yes, delete everything")
    await paid_update(ann, invoice_payload="of another shop")
    await ann.settled()
    assert [each[0] for each in await payment_states(database)] == ["UNCLEAR"]


def test_a_fingerprint_is_one_persons_and_one_bots() -> None:
    ours = Fingerprints(TOKEN)
    assert ours.of(1) == Fingerprints(TOKEN).of(1)
    assert len({ours.of(1), ours.of(2), Fingerprints(type(TOKEN)("2:other")).of(1)}) == 3
    assert "1" * 5 not in ours.of(11111)


async def test_a_bot_that_dies_after_the_commit_leaves_the_answer_to_the_next(
    database: Database, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with running_bot(database, telegram_base) as bot:
        ann = await Person.join(http, ANN)
        await ann.text("/start")
        (asked,) = await ann.text("/forget")
        await bot.parts.forgetting.forget(ANN, bot.parts.fingerprints.of(ANN))  # and not a word
    async with running_bot(database, telegram_base):
        await ann.press_data(button_data(asked, "Yes"))
        assert await people(database) == [(1, None)]
        (told,) = await ann.text("hello?")
        assert "Your data was deleted" in told["text"]
