"""The shop from the inside, in the chat of an administrator; for everybody else there is nothing there."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiogram.types import BotCommandScopeChat

from bot.description import describe_bot
from domain.actions import Action
from domain.orders import Language
from store.database import Database
from store.switches import MAINTENANCE, Switches
from tests.bot.chat import ADMIN_ID, Person, RunningBot, button_data, labels
from texts import label

COMMANDS = (
    "/admin", "/today", "/accounts", "/user 501", "/grant 501 5 gift", "/take 501 1 gift", "/refund charge",
    "/maintenance on",
)  # fmt: skip
BUTTONS = (
    "panel", "find", "today", "today.2026-11-20", "accounts", "maintenance.on", "grant.501", "take.501",
    "refund.501.0123456789ab", "force.501.0123456789ab", "yes.0123", "no.0123",
)  # fmt: skip


async def rows(database: Database, table: str = "admin_actions") -> list[dict[str, Any]]:
    async with database.connection() as connection:
        return [dict(row) for row in await connection.fetch(f"select * from {table} order by 1")]  # noqa: S608


async def available(bot: RunningBot, tg_user_id: int = 501) -> int:
    return (await bot.parts.ledger.balance(tg_user_id)).available


def only_text(messages: list[dict[str, Any]]) -> str:
    (message,) = messages
    return str(message["text"])


# -- for everybody else ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_of_the_admins_is_unknown_to_others(
    ann: Person, bot: RunningBot, database: Database, command: str
) -> None:
    unknown = only_text(await ann.text("/no_such_command"))
    assert only_text(await ann.text(command)) == unknown
    assert await rows(database) == await rows(database, "admin_deeds") == []
    assert await available(bot) == 3
    assert not await bot.parts.switches.is_on(MAINTENANCE)


@pytest.mark.parametrize("argument", BUTTONS)
async def test_a_forged_button_of_the_admins_is_an_old_card(
    ann: Person, bot: RunningBot, database: Database, argument: str
) -> None:
    await ann.text("/start")
    old = await ann.press_data("gen:no-such-draft")
    forged = await ann.press_data(f"{Action.ADMIN}:{argument}")
    assert [each["text"] for each in forged] == [each["text"] for each in old]
    assert await rows(database) == []
    assert not await bot.parts.switches.is_on(MAINTENANCE)


async def test_the_yes_of_an_admin_is_worth_nothing_in_another_hand(
    ann: Person, boss: Person, bot: RunningBot, database: Database
) -> None:
    await ann.text("/start")
    (card,) = await boss.text("/grant 501 5 gift")
    await ann.press_data(button_data(card, "Yes"))
    assert await available(bot) == 3
    assert await rows(database) == []


# -- panel and pages ------------------------------------------------------------------------------


async def test_the_panel_leads_everywhere_and_back_in_one_message(boss: Person) -> None:
    (panel,) = await boss.text("/admin")
    assert "Maintenance is off" in panel["text"]
    for button, words in (("Today", "New users"), ("Find", "/user"), ("Accounts", "KIE accounts")):
        assert await boss.press(button, message_id=panel["message_id"]) == []
        assert words in await text_of(boss, panel)
        await boss.press("Panel", message_id=panel["message_id"])
        assert "Administration" in await text_of(boss, panel)


async def text_of(person: Person, message: dict[str, Any]) -> str:
    return next(str(m["text"]) for m in await person.messages() if m["message_id"] == message["message_id"])


async def test_a_day_has_its_neighbours_but_no_tomorrow(boss: Person, bot: RunningBot) -> None:
    today = bot.parts.statistics.today()
    (card,) = await boss.text("/today")
    assert f"{today}" in card["text"]
    before = today - timedelta(days=1)
    assert labels(card)[0] == f"◀ {before}"
    assert not any("▶" in each for each in labels(card))
    await boss.press(f"◀ {before}", message_id=card["message_id"])
    assert f"{before}" in await text_of(boss, card)
    await boss.press(f"{today} ▶", message_id=card["message_id"])
    assert f"{today}" in await text_of(boss, card)
    assert f"{before}" in only_text(await boss.text(f"/today {before}"))


@pytest.mark.parametrize(
    "command",
    ["/user", "/user @ann", "/user 1 2", "/user -5", "/user ٥", "/grant", "/grant 501", "/grant 501 5",
     "/grant 501 0 gift", "/grant 501 -5 gift", "/grant 501 1000001 gift", "/grant 501 5.5 gift",
     f"/grant 501 5 {'x' * 301}", "/take 501 five gift", "/grant 99999999999999999 5 gift",
     "/refund", "/refund a b", "/maintenance", "/maintenance maybe", "/today yesterday", "/today 2026-02-30",
     "/today 9999-12-31", "/today 0001-01-01"],
)  # fmt: skip
async def test_wrong_arguments_get_one_line_of_usage(boss: Person, database: Database, command: str) -> None:
    text = only_text(await boss.text(command))
    assert text.startswith("Like this: /" + command[1:].split(maxsplit=1)[0])
    assert await rows(database, "admin_deeds") == []


@pytest.mark.parametrize(
    "argument", ["", "nowhere", "panel.1", "today.x", "today.2999-01-01", "maintenance.maybe", "yes.none",
                 "yes", "grant.x", "grant.501.7", "refund.501.x", "refund.x.y", "...."],
)  # fmt: skip
async def test_even_an_admin_may_press_an_old_or_forged_button(
    boss: Person, database: Database, argument: str
) -> None:
    await boss.text("/admin")
    assert "older" in (await boss.press_data(f"{Action.ADMIN}:{argument}"))[0]["text"]
    assert await rows(database) == []


# -- a user ---------------------------------------------------------------------------------------


async def test_a_user_is_looked_at_and_that_is_written_down(
    boss: Person, ann: Person, database: Database
) -> None:
    await ann.text("/start")
    (card,) = await boss.text("/user 501")
    assert "3 credits available" in card["text"]
    assert [each for each in labels(card) if "Grant" in each or "Take" in each] == ["➕ Grant", "➖ Take"]
    (row,) = await rows(database)
    assert (row["admin_tg_id"], row["action"], row["target"], row["details"]) == (ADMIN_ID, "look", "501", {})
    assert "/grant 501 5" in only_text(await boss.press("Grant", message_id=card["message_id"]))


async def test_nobody_is_said_to_be_nobody(boss: Person, database: Database) -> None:
    for command in ("/user 404", "/grant 404 5 gift", "/take 404 5 gift"):
        assert "Nobody with the number 404" in only_text(await boss.text(command))
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from users where tg_user_id = 404") == 0


async def test_an_order_and_its_failure_are_on_the_card(
    boss: Person, ann: Person, bot: RunningBot, database: Database
) -> None:
    await ann.to_step("confirm")
    await ann.press("Generate")
    async with database.connection() as connection:
        await connection.execute(
            "update videos set state = 'FAILED', failure_class = 'UNKNOWN', closed_at = now()"
        )
    (card,) = await boss.text("/user 501")
    assert "Orders: 1" in card["text"]
    assert "delivered 0, failed 1" in card["text"]
    assert "UNKNOWN" in card["text"]
    assert "UNKNOWN: 1 video, 1 credit" in only_text(await boss.text("/today"))
    assert bot.starts.started


async def test_a_failure_is_told_in_the_provider_s_words_without_the_prompt(
    boss: Person, ann: Person, database: Database
) -> None:
    await ann.to_step("confirm")
    await ann.press("Generate")
    prompt = "a purple giraffe juggles twelve lanterns"
    answer = {
        "code": 200,
        "data": {
            "state": "fail",
            "failMsg": f"Your request was flagged: {prompt}",
            "param": json.dumps({"input": {"prompt": prompt}}),
        },
    }
    async with database.connection() as connection:
        await connection.execute(
            "update videos set state = 'FAILED', failure_class = 'USER_VIOLATION', closed_at = now()"
        )
        await connection.execute(
            """insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state,
                                     task_state, kie_task_id, failure_class, failure_code, prompt, raw_answer,
                                     admitted_at)
               select 'a', id, user_id, 1, 'm', 'alpha', 'k', 'ACCEPTED', 'FAIL', 'task', 'USER_VIOLATION',
                      '400', $1, $2, now() from videos""",
            prompt, json.dumps(answer),
        )  # fmt: skip
    (card,) = await boss.text("/user 501")
    assert "400 Your request was flagged" in card["text"]
    assert "giraffe" not in card["text"]
    assert "{" not in card["text"]


async def test_the_panel_names_what_has_no_button(boss: Person) -> None:
    told = only_text(await boss.text("/admin"))
    assert "/forget id" in told
    assert "forced" in told


# -- deeds ----------------------------------------------------------------------------------------


async def test_a_grant_is_asked_done_once_and_told_to_both(
    boss: Person, ann: Person, bot: RunningBot, database: Database
) -> None:
    await ann.text("/start")
    (card,) = await boss.text("/grant 501 5 a <late> video")
    assert "Grant 5 credits to 501?" in card["text"]
    assert "the user sees it in the history: a <late> video" in card["text"]
    assert await available(bot) == 3
    yes = button_data(card, "Yes")
    await boss.press("Yes", message_id=card["message_id"])
    assert "501, who now has 8 credits" in await text_of(boss, card)
    told = await ann.until("added 5 credits")
    assert "8 credits" in told["text"]
    await boss.do("press", message_id=card["message_id"], callback_data=yes, stale=True)
    await boss.answers()
    assert await available(bot) == 8
    (row,) = await rows(database)
    assert (row["action"], row["target"]) == ("grant", "501")
    assert row["details"] == {"credits": 5, "reason": "a <late> video"}
    await asyncio.sleep(0.2)
    assert len([each for each in await ann.messages() if "added" in each["text"]]) == 1


async def test_ten_quick_taps_on_yes_are_one_deed(
    boss: Person, ann: Person, bot: RunningBot, database: Database
) -> None:
    await ann.text("/start")
    (card,) = await boss.text("/grant 501 5 gift")
    yes = button_data(card, "Yes")
    await asyncio.gather(
        *(boss.do("press", message_id=card["message_id"], callback_data=yes, stale=True) for _ in range(10))
    )
    await boss.settled()
    assert await available(bot) == 8
    assert len(await rows(database)) == 1


async def test_no_changes_nothing_and_cannot_be_taken_back(
    boss: Person, ann: Person, bot: RunningBot
) -> None:
    await ann.text("/start")
    (card,) = await boss.text("/grant 501 5 gift")
    yes = button_data(card, "Yes")
    await boss.press("No", message_id=card["message_id"])
    assert await text_of(boss, card) == "Nothing was done."
    await boss.do("press", message_id=card["message_id"], callback_data=yes, stale=True)
    assert "older" in (await boss.answers())[0]["text"]
    assert await available(bot) == 3


async def test_no_more_is_taken_than_there_is(boss: Person, ann: Person, bot: RunningBot) -> None:
    await ann.text("/start")
    assert "only 3 credits" in only_text(await boss.text("/take 501 4 mistake"))
    (card,) = await boss.text("/take 501 3 mistake")
    await ann.to_step("confirm")
    await ann.press("Generate")
    await boss.press("Yes", message_id=card["message_id"])
    assert "only 2 credits" in await text_of(boss, card)
    assert await available(bot) == 2
    (card,) = await boss.text("/take 501 2 mistake")
    await boss.press("Yes", message_id=card["message_id"])
    assert "now has 0 credits" in await text_of(boss, card)
    assert "0 credits" in (await ann.until("taken 2 credits back"))["text"]


async def test_a_user_who_blocked_the_bot_gets_his_credits_all_the_same(
    boss: Person, ann: Person, bot: RunningBot
) -> None:
    await ann.text("/start")
    await ann.do("block")
    (card,) = await boss.text("/grant 501 5 gift")
    await boss.press("Yes", message_id=card["message_id"])
    assert "now has 8 credits" in await text_of(boss, card)
    assert "blocked the bot" in only_text(await boss.text("/user 501"))
    assert await available(bot) == 8


# -- maintenance, accounts, commands, language ----------------------------------------------------


async def test_maintenance_is_switched_by_command_and_button_and_written_down(
    boss: Person, bot: RunningBot, database: Database
) -> None:
    elsewhere = Switches(database, bot.parts.clock)
    (card,) = await boss.text("/maintenance on")
    assert "open ones finish" in card["text"]
    assert await elsewhere.is_on(MAINTENANCE)
    await boss.press("Turn maintenance off", message_id=card["message_id"])
    assert "Maintenance is off" in await text_of(boss, card)
    assert not await elsewhere.is_on(MAINTENANCE)
    await boss.text("/maintenance off")
    assert [row["details"] for row in await rows(database)] == [{"is_on": True}, {"is_on": False}]


async def test_accounts_and_keys_without_secrets(boss: Person, bot: RunningBot) -> None:
    await bot.parts.accounts.block_key("key-two", bot.parts.clock() + timedelta(hours=1), "BILLING 401")
    await bot.parts.accounts.mark_model(
        "bytedance/seedance-1.5-pro", bot.parts.clock() + timedelta(hours=1), "paused"
    )
    await bot.parts.accounts.keep_balance("alpha", 1_234.5, 1)
    text = only_text(await boss.text("/accounts"))
    for words in ("alpha takes orders", "balance 1234.5", "key-one works", "beta has no key that works",
                  "balance not read yet", "key-two is left alone", "seedance-1.5-pro rests"):  # fmt: skip
        assert words in text


async def test_the_bot_is_described_in_both_languages(bot: RunningBot, http: httpx.AsyncClient) -> None:
    telegram = bot.parts.bot
    await describe_bot(bot.parts)
    for code, language in ((None, Language.EN), ("ru", Language.RU), ("uk", Language.RU)):
        told = await telegram.get_my_description(code)
        shortly = await telegram.get_my_short_description(code)
        assert told.description == label(language, "bot-description")
        assert shortly.short_description == label(language, "bot-short-description")
        assert 0 < len(shortly.short_description) <= 120 < len(told.description) <= 512
    fault = {"where": "setMyDescription", "times": -1, "status": 500, "kind": "answer"}
    (await http.post("/control/faults", json=fault)).raise_for_status()
    await describe_bot(bot.parts)  # nothing differs, so nothing is set, and nothing is logged
    assert (await telegram.get_my_description("ru")).description == label(Language.RU, "bot-description")


async def test_an_admin_reads_his_own_language(boss: Person, bot: RunningBot) -> None:
    await boss.text("/start")
    await bot.parts.users.choose_language(ADMIN_ID, Language.RU)
    assert "Администрирование" in only_text(await boss.text("/admin"))
    async with asyncio.timeout(20):
        while (await registered(bot, None, ADMIN_ID))["admin"] != "Администрирование":  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_an_admin_may_be_a_seller_too(boss: Person, bot: RunningBot) -> None:
    await boss.to_step("wishes")
    await boss.text("/grant 900 5 gift")
    await boss.text("/user 900")
    await boss.text("on a beach")
    assert "how many" in (await boss.messages())[-1]["text"].lower()
    assert bot.parts.shop.admins == (ADMIN_ID,)


async def test_commands_are_registered_for_all_and_more_of_them_for_admins(
    boss: Person, bot: RunningBot
) -> None:
    await boss.text("/start")
    await boss.settled()
    for language, scope, expected in (
        (None, None, "Main menu"), ("ru", None, "Главное меню"), (None, ADMIN_ID, "Main menu"),
    ):  # fmt: skip
        commands = await registered(bot, language, scope)
        assert commands["start"] == expected
        assert ("maintenance" in commands) is (scope is not None)
        assert {"orders", "videos", "balance", "help", "cancel", "language", "terms"} <= set(commands)


async def registered(bot: RunningBot, language: str | None, scope: int | None) -> dict[str, str]:
    chat = BotCommandScopeChat(chat_id=scope) if scope else None
    async with asyncio.timeout(20):
        while not (found := await bot.parts.bot.get_my_commands(chat, language)):  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.05)
    return {each.command: each.description for each in found}
