"""Generate, and everything that can happen instead of an order."""

import asyncio

import httpx

from store.database import Database
from tests.bot.chat import Person, RunningBot, button_data, labels

ORDERS = "select id, video_count from orders"


async def orders(database: Database) -> list[tuple[str, int]]:
    async with database.connection() as connection:
        return [(row["id"], row["video_count"]) for row in await connection.fetch(ORDERS)]


async def toasts(person: Person) -> list[str]:
    shown = (await person.http.get(f"/control/users/{person.id}/toasts")).json()["toasts"]
    return [toast["text"] for toast in shown]


async def test_a_double_tap_and_a_repeated_update_are_one_order(ann: Person, database: Database) -> None:
    (card,) = await ann.to_step("confirm")
    data, message_id = button_data(card, "Generate"), card["message_id"]
    taps = [await ann.do("press", message_id=message_id, callback_data=data, stale=True) for _ in range(3)]
    await ann.http.post("/control/updates/repeat", json={"update_id": taps[0]["update_id"]})
    assert await ann.answers() == []
    assert len(await orders(database)) == 1
    assert (await toasts(ann))[-1].startswith("Accepted")


async def test_too_few_credits_then_granted_the_same_generate_buys(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    await ann.to_step("count")
    (card,) = await ann.press("5")
    (short,) = await ann.press("Generate")
    assert "you have 3 credits" in short["text"]
    assert labels(short) == ["Make 3 with what you have", "Top up"]
    assert await orders(database) == []
    (top_up,) = await ann.press("Top up")
    assert "@help" in top_up["text"]
    await bot.parts.ledger.grant(ann.id, 2, "a friend", "g1")
    await ann.press("Generate")
    assert await orders(database) == [(button_data(card, "Generate").split(":")[1], 5)]


async def test_make_fewer_is_a_draft_of_its_own(ann: Person, bot: RunningBot, database: Database) -> None:
    await bot.parts.users.register(ann.id, "en")
    await bot.parts.ledger.grant(ann.id, -1, "taken", "g1")
    await ann.to_step("count")
    await ann.press("3")
    (short,) = await ann.press("Generate")
    assert labels(short)[0] == "Make 1 with what you have"
    (card,) = await ann.press("Make 1")
    assert "1 video" in card["text"]
    await ann.press("Generate")
    assert [count for _, count in await orders(database)] == [1]


async def test_no_credits_at_all_offer_only_a_top_up(ann: Person, bot: RunningBot) -> None:
    await bot.parts.users.register(ann.id, "en")
    await bot.parts.ledger.grant(ann.id, -3, "taken", "g1")
    await ann.to_step("confirm")
    (short,) = await ann.press("Generate")
    assert labels(short) == ["Top up"]


async def test_a_replaced_card_no_longer_buys(ann: Person, database: Database) -> None:
    (card,) = await ann.to_step("confirm")
    await ann.photo()
    await ann.press("Replace")
    stale, fresh = await ann.press("Generate", message_id=card["message_id"])
    assert "older card" in stale["text"]
    assert fresh["kind"] == "photo"
    assert await orders(database) == []


async def test_a_copy_of_the_card_is_the_same_order(ann: Person, database: Database) -> None:
    (card,) = await ann.to_step("confirm")
    _, copy = await ann.press_data("count:3")
    assert button_data(copy, "Generate") == button_data(card, "Generate")
    await ann.press("Generate", message_id=copy["message_id"])
    await ann.press("Generate", message_id=card["message_id"])
    assert len(await orders(database)) == 1
    shown = {message["message_id"]: message for message in await ann.messages()}
    assert "Accepted" in shown[copy["message_id"]]["text"]


async def test_the_cancel_button_drops_its_card(ann: Person, database: Database) -> None:
    (card,) = await ann.to_step("confirm")
    (dropped,) = await ann.press("Cancel")
    assert "Dropped" in dropped["text"]
    stale, menu = await ann.press("Generate", message_id=card["message_id"])
    assert "older card" in stale["text"]
    assert "Short videos" in menu["text"]
    assert await orders(database) == []


async def test_nobody_buys_with_somebody_elses_card(
    ann: Person, http: httpx.AsyncClient, database: Database
) -> None:
    (card,) = await ann.to_step("confirm")
    bob = await Person.join(http, 502)
    await bob.text("/start")
    stale, _ = await bob.press_data(button_data(card, "Generate"))
    assert "older card" in stale["text"]
    assert await orders(database) == []


async def test_a_tap_while_temporal_is_away_is_started_when_it_is_back(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    bot.starts.away = True
    await ann.to_step("confirm")
    await ann.press("Generate")
    assert "Accepted" in (await ann.messages())[-1]["text"]
    ((order_id, _),) = await orders(database)
    bot.starts.away = False
    async with asyncio.timeout(60):
        while bot.starts.started != [order_id]:  # noqa: ASYNC110 - the sweeper's own pace is what is tested
            await asyncio.sleep(0.05)


async def test_an_expired_callback_query_stops_nothing(ann: Person, database: Database) -> None:
    await ann.to_step("confirm")
    fault = {"where": "answerCallbackQuery", "status": 400, "body": _refusal("query is too old")}
    await ann.http.post("/control/faults", json=fault)
    await ann.press("Generate")
    assert len(await orders(database)) == 1
    assert "Accepted" in (await ann.messages())[-1]["text"]


async def test_a_tap_on_a_card_that_cannot_be_edited_is_answered_all_the_same(
    ann: Person, http: httpx.AsyncClient
) -> None:
    await ann.to_step("confirm")
    fault = {"where": "editMessageCaption", "status": 400, "body": _refusal("message can't be edited")}
    await http.post("/control/faults", json=fault)
    (accepted,) = await ann.press("Generate")
    assert "Accepted" in accepted["text"]


async def test_an_order_on_its_way_blocks_no_new_one(ann: Person, database: Database) -> None:
    await ann.to_step("confirm")
    await ann.press("Generate")
    await ann.to_step("confirm")
    await ann.press("Generate")
    assert len(await orders(database)) == 2


def _refusal(description: str) -> dict[str, object]:
    return {"ok": False, "error_code": 400, "description": f"Bad Request: {description}"}
