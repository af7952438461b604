"""Topping up: the way it should go, and every way it should not."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest
from aiogram.types import Update
from pydantic import SecretStr

from bot.feeder import ALLOWED_UPDATES
from domain.orders import Language
from domain.payments import Package
from store.database import Database
from store.switches import MAINTENANCE
from tests.bot.chat import Person, RunningBot, button_data, labels, running_bot
from tests.bot.money import (
    admin,
    bought,
    credits_of,
    fault,
    invoice,
    paid_update,
    payment_states,
    purchases,
    refusal,
    short_of_credits,
    signed,
)
from tests.bot.webhook_bots import until
from tests.bot.wire import Wire
from texts import label

STEPS = ("idle", "photo", "template", "product_text", "wishes", "own_prompt", "count", "confirm")


async def test_credits_are_bought_with_stars(ann: Person, database: Database) -> None:
    await ann.text("/balance")
    (packages,) = await ann.press("Top up")
    assert labels(packages)[:2] == ["5 credits – 150 ⭐", "20 credits – 500 ⭐"]
    assert "3 credits" in packages["text"]
    (shown,) = await ann.press("20 credits")
    assert shown["invoice"]["start_parameter"] == "topup"
    assert (shown["invoice"]["currency"], shown["invoice"]["total_amount"]) == ("XTR", 500)
    assert (await ann.do("pay"))["paid"]
    (credited,) = await ann.answers()
    assert "Added: 20 credits. Balance now: 23 credits" in credited["text"]
    assert await purchases(database) == [("purchase", 20)]
    assert await payment_states(database) == [("PAID", 20, 0)]


async def test_a_closed_payment_sheet_changes_nothing(ann: Person, database: Database) -> None:
    await invoice(ann)
    await ann.do("decline")
    assert await ann.answers() == []
    assert await payment_states(database) == []


async def test_the_order_that_was_short_comes_back_one_tap_from_generate(
    ann: Person, database: Database
) -> None:
    short, draft_id = await short_of_credits(ann)
    assert button_data(short, "Top up") == f"topup:{draft_id}"
    await ann.press("Top up")
    await ann.press("5 credits")
    await ann.do("pay")
    credited, card = await ann.answers()
    assert "Balance now: 8 credits" in credited["text"]
    assert "waiting for you here" in credited["text"]
    assert button_data(card, "Generate") == f"gen:{draft_id}"
    await ann.press("Generate", message_id=card["message_id"])
    assert await credits_of(ann, database) == 3


async def test_still_short_offers_fewer_beside_the_card(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    await bot.parts.users.register(ann.id, "en")
    await bot.parts.ledger.grant(ann.id, -3, "taken", "g1")
    bot.parts = replace(bot.parts, shop=replace(bot.parts.shop, packages=(Package("4c99s", 4, 99),)))
    await restarted(bot)
    _, draft_id = await short_of_credits(ann)
    await ann.press("Top up")
    await ann.press("4 credits")
    await ann.do("pay")
    credited, card = await ann.answers()
    assert "takes 5 credits" in credited["text"]
    assert labels(credited) == ["Make 3 with what you have", "Top up"]
    assert button_data(credited, "Top up") == f"topup:{draft_id}"
    assert button_data(card, "Generate") == f"gen:{draft_id}"
    fewer = await ann.press("Make 3")
    await ann.press("Generate", message_id=fewer[-1]["message_id"])
    assert await credits_of(ann, database) == 1


async def test_an_order_that_was_dropped_meanwhile_does_not_come_back(ann: Person) -> None:
    await short_of_credits(ann)
    await ann.press("Top up")
    await ann.press("5 credits")
    await ann.text("/cancel")
    await ann.do("pay")
    (credited,) = await ann.answers()
    assert "Balance now: 8 credits" in credited["text"]
    assert labels(credited) == ["🎬 New order"]


@pytest.mark.parametrize("step", STEPS)
async def test_a_payment_disturbs_no_dialog(ann: Person, bot: RunningBot, step: str) -> None:
    await invoice(ann)
    await ann.to_step(step)
    dialog = await conversation(bot)
    await ann.do("pay")
    (credited,) = await ann.answers()
    assert "Added: 20 credits" in credited["text"]
    assert await conversation(bot) == dialog


async def test_payments_are_credited_in_maintenance_and_however_fast_they_come(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    await invoice(ann)
    bot.parts = replace(bot.parts, shop=replace(bot.parts.shop, messages_per_second=0.01))
    await restarted(bot)
    await bot.parts.switches.set(MAINTENANCE, True)
    for _ in range(15):
        assert (await ann.do("pay", again=True))["paid"]
    await ann.settled()
    assert await credits_of(ann, database) == 3 + 15 * 20


async def test_who_blocked_the_bot_and_came_back_gets_his_credits(ann: Person, bot: RunningBot) -> None:
    await invoice(ann)
    await bot.parts.users.mark_blocked(ann.id)
    await ann.do("pay")
    (credited,) = await ann.answers()
    assert "Balance now: 23 credits" in credited["text"]
    user = await bot.parts.users.find(ann.id)
    assert user is not None
    assert not user.blocked


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": 1}, "not one of ours as we made it"),
        ({"currency": "USD"}, "not one of ours as we made it"),
        ({"payload": "1:501:1:20:20c500s:-:sig", "amount": 1}, "not one of ours as we made it"),
        ({"payload": signed(501, token=SecretStr("7:" + "x" * 35))}, "not one of ours as we made it"),
        ({"payload": signed(501, Package("20c1s", 20, 1)), "amount": 1}, "prices have changed"),
    ],
)
async def test_what_does_not_fit_is_not_sold(
    ann: Person, database: Database, changes: dict[str, object], said: str
) -> None:
    await invoice(ann)
    answer = await ann.do("pay", **changes)
    assert not answer["paid"]
    assert said in answer["error_message"]
    assert await ann.answers() == []
    assert await payment_states(database) == []


async def test_nobody_pays_an_invoice_of_somebody_else(ann: Person, http: httpx.AsyncClient) -> None:
    await invoice(ann)
    bob = await Person.join(http, 502, language="ru")
    answer = await ann.do("pay", payer_id=bob.id)
    assert answer["error_message"] == label(Language.RU, "checkout-other-payer")


async def test_a_forwarded_invoice_leads_to_the_bot_instead_of_being_payable(
    ann: Person, http: httpx.AsyncClient
) -> None:
    shown = await invoice(ann)
    bob = await Person.join(http, 502)
    await bob.do("forward", message_id=shown["message_id"], from_user_id=ann.id)
    copy = [message for message in await bob.messages() if message["forwarded"]][-1]
    (button,) = (button for row in copy["buttons"] for button in row)
    assert button["url"].endswith("?start=topup")
    await bob.settled()
    await bob.answers()
    (packages,) = await bob.text("/start topup")
    assert labels(packages)[0] == "5 credits – 150 ⭐"


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_package_no_longer_sold_is_not_paid_for(
    ann: Person, bot: RunningBot, database: Database, language: str
) -> None:
    shown = await invoice(ann)
    bot.parts = replace(bot.parts, shop=replace(bot.parts.shop, packages=(Package("20c600s", 20, 600),)))
    await restarted(bot)
    await ann.do("language", language_code=language)
    answer = await ann.do("pay", message_id=shown["message_id"])
    assert answer["error_message"] == label(Language(language), "checkout-changed")
    assert await payment_states(database) == []


async def test_a_button_of_a_package_no_longer_sold_shows_what_is(ann: Person) -> None:
    await ann.text("/balance")
    gone, packages = await ann.press_data("pkg:1c1s")
    assert "no longer on offer" in gone["text"]
    assert "20 credits – 500 ⭐" in labels(packages)


@pytest.mark.parametrize("data", ["topup:" + "x" * 50, "pkg:20c500s." + "x" * 40, "topup:" + "0" * 20])
async def test_a_made_up_draft_is_no_draft(ann: Person, data: str) -> None:
    await ann.text("/balance")
    (shown,) = await ann.press_data(data)
    assert shown["kind"] == "invoice" or button_data(shown, "20 credits") == "pkg:20c500s"


async def test_one_payment_told_twice_is_credited_once(ann: Person, database: Database) -> None:
    await invoice(ann)
    assert (await ann.do("pay", times=2))["paid"]
    told = await ann.answers()
    assert {"Balance now: 23 credits" in each["text"] for each in told} == {True}
    assert await purchases(database) == [("purchase", 20)]


async def test_an_update_told_again_by_telegram_is_credited_once(ann: Person, database: Database) -> None:
    await invoice(ann)
    paid = await ann.do("pay")
    await ann.settled()
    await ann.http.post("/control/updates/repeat", json={"update_id": paid["update_ids"][0]})
    await ann.settled()
    assert await purchases(database) == [("purchase", 20)]


async def test_a_bot_that_dies_after_booking_tells_it_when_it_is_back(
    ann: Person, bot: RunningBot, database: Database, http: httpx.AsyncClient
) -> None:
    """Between the commit and the mark that the update is handled."""
    await invoice(ann)
    await fault(http, "sendMessage", kind="delay", delay_seconds=30, times=-1)
    assert (await ann.do("pay"))["paid"]
    async with asyncio.timeout(20):
        while not await purchases(database):  # noqa: ASYNC110 - a row's state
            await asyncio.sleep(0.02)
    await bot.stop()
    await http.delete("/control/faults")
    bot.start()
    assert "Balance now: 23 credits" in (await ann.until("Added"))["text"]
    assert await purchases(database) == [("purchase", 20)]


async def test_a_payment_that_cannot_be_told_is_credited_all_the_same(
    ann: Person, database: Database, http: httpx.AsyncClient
) -> None:
    await invoice(ann)
    await fault(http, "sendMessage", times=2, **refusal(400, "Bad Request: something is wrong"))
    assert (await ann.do("pay"))["paid"]
    assert await ann.answers() == []  # and no apology that would make him pay again
    assert await credits_of(ann, database) == 23


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"invoice_payload": "made up"}, "forged"),
        ({"total_amount": 1}, "other_price"),
        ({"currency": "USD"}, "other_price"),
        ({"invoice_payload": signed(502)}, "other_payer"),
    ],
)
async def test_money_for_no_invoice_is_kept_for_a_person_to_decide(
    ann: Person, http: httpx.AsyncClient, database: Database, changes: dict[str, object], why: str
) -> None:
    """Telegram asked nobody before: it came all the same."""
    boss = await admin(http)
    await ann.text("/start")
    for _ in range(2):
        await paid_update(ann, **changes)
    first, *_ = await ann.answers()
    assert "fits" not in first["text"]
    assert "no credits were added" in first["text"]
    assert "@help" in first["text"]
    assert await payment_states(database) == [("UNCLEAR", 0, 0)]
    assert await purchases(database) == []
    alerts = [each for each in await boss.answers() if "fits no invoice" in each["text"]]
    assert len(alerts) == 1
    assert why in alerts[0]["text"]


# -- the question before a payment ----------------------------------------------------------------


async def test_the_question_does_not_wait_for_the_chat(ann: Person, http: httpx.AsyncClient) -> None:
    await invoice(ann)
    await fault(http, "sendMessage", kind="delay", delay_seconds=10)
    await ann.do("text", text="/help")
    await until(lambda: delayed(http, "sendMessage"))  # the handler is in the middle of it
    assert (await ann.do("pay"))["paid"]
    assert not [each for each in await ann.messages() if "How it works" in each["text"]]
    await ann.until("How it works")
    await ann.until("Added")


async def delayed(http: httpx.AsyncClient, method: str) -> bool:
    journal = (await http.get("/control/journal", params={"where": method})).json()["entries"]
    return any("delay" in entry["outcome"] for entry in journal)


async def test_the_question_comes_by_webhook_too_and_stands_in_no_lane(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient
) -> None:
    await invoice(ann)
    await bot.stop()
    async with bot.feeder.alone_with(ann.id), asyncio.timeout(60):
        paying = asyncio.create_task(ann.do("pay"))
        update = await raw_update(bot, "pre_checkout_query")
        await bot.feeder.feed(update)
        await bot.feeder.feed(update)  # told again: Telegram does not take a second answer, and that is all
        assert (await paying)["paid"]
    assert (await http.get("/control/stars")).json()["balance"] == 500


async def test_the_question_needs_no_database(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    parts = urlsplit(database_url)
    async with Wire(parts.port or 0) as wire:
        database = await Database.connect(database_url.replace(f":{parts.port}/", f":{wire.port}/"))
        async with running_bot(database, telegram_base):
            ann = await Person.join(http, 501)
            await invoice(ann)
            await wire.cut()
            await ann.do("text", text="/balance")
            await asyncio.sleep(0.5)
            assert (await ann.do("pay"))["paid"]
            await wire.mend()
            assert "Balance now: 23 credits" in (await ann.until("Added"))["text"]
        await database.close()


async def test_an_answer_lost_on_its_way_is_given_again(ann: Person, http: httpx.AsyncClient) -> None:
    await invoice(ann)
    await fault(http, "answerPreCheckoutQuery", kind="drop_request", times=2)
    assert (await ann.do("pay"))["paid"]


async def test_a_question_that_cannot_be_answered_ends_in_time_and_harms_nobody(
    ann: Person, http: httpx.AsyncClient
) -> None:
    await invoice(ann)
    await fault(http, "answerPreCheckoutQuery", kind="drop_request", times=-1)
    assert (await ann.do("pay"))["error_message"] == "timeout"
    await ann.settled()
    await http.delete("/control/faults")
    assert (await ann.do("pay"))["paid"]


async def test_a_bought_package_shows_in_the_balance(ann: Person) -> None:
    await bought(ann)
    await ann.answers()
    (balance,) = await ann.text("/balance")
    assert "23 credits" in balance["text"]


async def restarted(bot: RunningBot) -> None:
    """With the parts it has now."""
    await bot.stop()
    fresh = RunningBot.of(bot.parts, bot.starts)
    bot.feeder = fresh.feeder
    bot.start()


async def conversation(bot: RunningBot) -> tuple[object, ...]:
    database = bot.parts.payments._database
    async with database.connection() as connection:
        row = await connection.fetchrow("select state, data from conversations")
    return (row["state"], row["data"]) if row else ()


async def raw_update(bot: RunningBot, kind: str) -> Update:
    while True:
        waiting = await bot.parts.bot.get_updates(allowed_updates=list(ALLOWED_UPDATES), timeout=1)
        for update in waiting:
            if getattr(update, kind) is not None:
                return update
