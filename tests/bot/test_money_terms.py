"""Terms, the history of the credits, and the welcome credits of a day."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.clock import utc_now
from store.database import Database
from store.users import Users
from tests.bot.chat import Person, RunningBot, labels
from tests.bot.money import admin, bought, credits_of, fault, paid_update, refusal

AMOUNT_NO_COLUMN_HOLDS = 3_000_000_000
NOTE = "By pressing Generate you accept /terms"


async def test_a_payment_that_a_bug_keeps_out_of_the_books_is_not_apologised_away(
    ann: Person, http: httpx.AsyncClient, database: Database
) -> None:
    boss = await admin(http)
    await ann.text("/start")
    await paid_update(ann, total_amount=AMOUNT_NO_COLUMN_HOLDS)
    (told,) = await ann.answers()
    assert "adds them by hand" in told["text"]
    assert await credits_of(ann, database) == 3
    assert any("was not booked" in each["text"] for each in await boss.answers())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/terms", "Terms of use, version 1"),
        ("/privacy", "KIE.AI"),
        ("/paysupport", "@help"),
    ],
)
async def test_the_small_print_is_shown_and_leaves_the_draft_alone(
    ann: Person, command: str, said: str
) -> None:
    await ann.to_step("confirm")
    (shown,) = await ann.text(command)
    assert said in shown["text"]
    (menu,) = await ann.text("/start")
    assert "open order" in menu["text"]


async def test_the_first_order_accepts_the_terms_until_they_change(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    (card,) = await ann.to_step("confirm")
    assert NOTE in card["text"]
    await ann.press("Generate")
    async with database.connection() as connection:
        row = await connection.fetchrow("select terms_version, terms_accepted_at from users")
    assert row is not None
    assert row["terms_version"] == 1
    assert (utc_now() - row["terms_accepted_at"]).total_seconds() < 60
    (card,) = await ann.to_step("confirm")
    assert NOTE not in card["text"]
    async with newer_terms(bot):
        await ann.text("/cancel")
        (card,) = await ann.to_step("confirm")
        assert NOTE in card["text"]


async def test_an_order_that_was_not_placed_accepts_nothing(ann: Person, database: Database) -> None:
    await ann.to_step("count")
    await ann.press("5")
    await ann.press("Generate")
    async with database.connection() as connection:
        assert await connection.fetchval("select terms_version from users") is None


def newer_terms(bot: RunningBot) -> "NewerTerms":
    return NewerTerms(bot)


class NewerTerms:
    """The same bot after a release with new terms."""

    def __init__(self, bot: RunningBot) -> None:
        self._bot = bot

    async def __aenter__(self) -> None:
        await self._bot.stop()
        shop = replace(self._bot.parts.shop, terms_version=2)
        self._fresh = RunningBot.of(replace(self._bot.parts, shop=shop), self._bot.starts)
        self._fresh.start()

    async def __aexit__(self, *_: object) -> None:
        await self._fresh.stop()


# -- history --------------------------------------------------------------------------------------


async def test_the_history_says_what_happened_to_the_credits(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    await bought(ann)
    await ann.answers()
    await ann.to_step("count")
    await ann.press("3")
    await ann.press("Generate")
    async with database.connection() as connection:
        order_id = await connection.fetchval("select id from orders")
    async with database.transaction() as connection:
        user_id = await connection.fetchval("select id from users")
        await bot.parts.ledger.settle(connection, user_id, f"{order_id}-v1", 1, captured=True)
        await bot.parts.ledger.settle(connection, user_id, f"{order_id}-v2", 1, captured=False)
    await bot.parts.ledger.grant(ann.id, 4, "a <gift>", "g1")
    await bot.parts.ledger.grant(ann.id, -2, "a mistake", "g2")
    await ann.text("/balance")
    (shown,) = await ann.press("History")
    moscow = utc_now() + timedelta(hours=3)
    day = f"{moscow.day} {moscow:%b}"
    assert shown["text"].splitlines() == [
        "🧾 Your credits: 23 credits",
        "In the making: 1 credit, paid for when delivered.",
        "",
        f"{day} · −2 taken back: a mistake",
        f"{day} · +4 granted: a <gift>",
        f"{day} · +1 refunded: video 2",
        f"{day} · −3 order of 3 videos",
        f"{day} · +20 topped up (500 ⭐)",
        f"{day} · +3 welcome",
    ]


async def test_a_long_history_has_pages_that_turn_in_place(ann: Person, bot: RunningBot) -> None:
    await ann.text("/start")
    for number in range(1, 22):
        await bot.parts.ledger.grant(ann.id, number, f"gift {number}", f"g{number}")
    await ann.text("/balance")
    (first,) = await ann.press("History")
    assert [line.rpartition(" ")[2] for line in first["text"].splitlines()[2:]] == [
        str(number) for number in range(21, 11, -1)
    ]
    assert labels(first)[0] == "Older ▶"
    assert await ann.press("Older", message_id=first["message_id"]) == []
    second = await message(ann, first["message_id"])
    assert second["text"].splitlines()[2].endswith("gift 11")
    assert labels(second)[:2] == ["◀ Newer", "Older ▶"]
    await ann.press("Older", message_id=first["message_id"])
    third = await message(ann, first["message_id"])
    assert [line.partition(" · ")[2] for line in third["text"].splitlines()[2:]] == [
        "+1 granted: gift 1",
        "+3 welcome",
    ]
    assert labels(third)[0] == "◀ Newer"
    await ann.press("Newer", message_id=first["message_id"])
    assert (await message(ann, first["message_id"]))["text"] == second["text"]


async def test_a_page_that_cannot_be_turned_in_place_is_a_new_card(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient
) -> None:
    await ann.text("/start")
    for number in range(11):
        await bot.parts.ledger.grant(ann.id, 1, f"gift {number}", f"g{number}")
    await ann.text("/balance")
    await ann.press("History")
    await fault(http, "editMessageText", **refusal(400, "Bad Request: message can't be edited"))
    (second,) = await ann.press("Older")
    assert "welcome" in second["text"]


async def test_nothing_has_happened_yet(ann: Person, bot: RunningBot) -> None:
    bot.parts.users._welcome_credits = 0
    await ann.text("/balance")
    (shown,) = await ann.press("History")
    assert "Nothing has happened yet" in shown["text"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999", "1" * 30, "²"])
async def test_a_made_up_page_breaks_nothing(ann: Person, page: str) -> None:
    await ann.text("/balance")
    shown = await ann.press_data(f"hist:{page}")
    assert "something broke" not in " ".join(each["text"] for each in shown)


async def message(person: Person, message_id: int) -> dict[str, Any]:
    return next(each for each in await person.messages() if each["message_id"] == message_id)


# -- welcome credits ------------------------------------------------------------------------------


async def test_the_share_of_a_day_is_given_once_and_admins_hear_of_its_end(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient, database: Database
) -> None:
    users = Users(database, bot.parts.ledger, utc_now, welcome_credits=3, welcome_per_day=2)
    await bot.stop()
    bot.parts = replace(bot.parts, users=users)
    fresh = RunningBot.of(bot.parts, bot.starts)
    fresh.start()
    boss = await admin(http)
    await ann.text("/start")
    late = [await Person.join(http, number) for number in (601, 602, 603)]
    await asyncio.gather(*(each.do("text", text="/start") for each in late))
    for each in late:
        (menu,) = await each.answers()
        assert "Short videos" in menu["text"]
        assert await credits_of(each, database) == 0
    await boss.until("Welcome credits")
    await late[0].text("/balance")
    assert [each["text"] for each in await boss.answers()] == []
    assert await credits_of(ann, database) == 3
    await fresh.stop()
