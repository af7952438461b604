"""Cancel: asked once, done once, and said once; with Temporal or without."""

import asyncio

import httpx
import pytest

from domain.actions import Action, Button
from domain.ids import video_id
from domain.orders import VideoState
from store.database import Database
from tests.bot.chat import Person, RunningBot, button_data, labels
from tests.bot.test_after import placed
from tests.bot.test_buying import toasts
from tests.bot.test_library import shown


def data(argument: str) -> str:
    return Button("", Action.CANCEL_ORDER, argument).callback_data


async def balance(person: Person, bot: RunningBot) -> tuple[int, int]:
    now = await bot.parts.ledger.balance(person.id)
    return now.available, now.reserved


async def states(database: Database) -> list[str]:
    async with database.connection() as connection:
        return [row["state"] for row in await connection.fetch("select state from videos order by id")]


async def told(bot: RunningBot, count: int) -> None:
    async with asyncio.timeout(60):
        while len(bot.starts.cancelled) < count:  # noqa: ASYNC110 - nobody waits for this work
            await asyncio.sleep(0.02)


async def until_caption(person: Person, message_id: int, words: str) -> None:
    async with asyncio.timeout(60):
        while words not in str((await shown(person, message_id))["text"]):  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.02)


async def test_the_accepted_card_cancels_after_one_question(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    await ann.to_step("count")
    (card,) = await ann.press("3")
    order_id = button_data(card, "Generate").split(":")[1]
    await ann.press("Generate")
    assert "✖️ Cancel the order" in labels(await shown(ann, card["message_id"]))
    (question,) = await ann.press("Cancel the order")
    assert "3 videos can still be stopped: 3 credits back" in question["text"]
    assert await states(database) == ["OPEN"] * 3, "asking stops nothing"
    assert await ann.press("Yes, cancel") == [], "the answer takes the question's place"
    answer = await shown(ann, question["message_id"])
    assert "Stopped: 3 videos. Back on your balance: 3 credits. Balance now: 3 credits." in str(
        answer["text"]
    )
    assert (await toasts(ann))[-1] == "Stopped: 3 credits back"
    assert await balance(ann, bot) == (3, 0)
    assert await states(database) == ["CANCELLED"] * 3
    await told(bot, 3)
    assert bot.starts.cancelled == [video_id(order_id, number) for number in (1, 2, 3)]
    await until_caption(ann, card["message_id"], "Cancelled")
    assert "✖️ Cancel the order" not in labels(await shown(ann, card["message_id"]))


async def test_let_it_go_on_changes_nothing(ann: Person, bot: RunningBot) -> None:
    await placed(ann, "1")
    (question,) = await ann.press("Cancel the order")
    assert await ann.press("Let it go on") == []
    assert "It goes on" in str((await shown(ann, question["message_id"]))["text"])
    assert await balance(ann, bot) == (2, 1)


async def test_what_is_made_by_now_goes_on_and_says_so(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    order_id = await placed(ann, "3")
    await bot.parts.videos.begin_delivery(video_id(order_id, 1))
    (question,) = await ann.press_data(data(order_id))
    assert "2 videos can still be stopped" in question["text"]
    assert "goes on and comes here: 1 video" in question["text"]
    await ann.press("Yes, cancel")
    answer = str((await shown(ann, question["message_id"]))["text"])
    assert "Stopped: 2 videos" in answer
    assert "goes on and comes here: 1 video" in answer
    assert await states(database) == ["DELIVERING", "CANCELLED", "CANCELLED"]
    assert await balance(ann, bot) == (2, 1)


async def test_a_second_yes_on_a_part_keeps_the_first_answer(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    order_id = await placed(ann, "3")
    await bot.parts.videos.begin_delivery(video_id(order_id, 1))
    (question,) = await ann.press_data(data(order_id))
    tap = {"message_id": question["message_id"], "callback_data": data(f"{order_id}.yes"), "stale": True}
    for _ in range(2):
        await ann.do("press", **tap)
        await ann.settled()
    answer = str((await shown(ann, question["message_id"]))["text"])
    assert "Stopped: 2 videos. Back on your balance: 2 credits" in answer
    assert "goes on and comes here: 1 video" in answer
    assert await states(database) == ["DELIVERING", "CANCELLED", "CANCELLED"]
    assert await balance(ann, bot) == (2, 1)


async def test_too_late_and_over_are_said_and_change_nothing(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    order_id = await placed(ann, "1")
    first = video_id(order_id, 1)
    await bot.parts.videos.begin_delivery(first)
    for way in (order_id, f"{order_id}.yes"):
        await ann.press_data(data(way))
        assert "too late" in (await ann.messages())[-1]["text"]
        assert (await toasts(ann))[-1].startswith("Too late")
    await bot.parts.videos.settle(first, VideoState.DELIVERED)
    for way in (order_id, f"{order_id}.yes"):
        await ann.press_data(data(way))
        assert "This order is over" in (await ann.messages())[-1]["text"]
    assert await states(database) == ["DELIVERED"]
    assert await balance(ann, bot) == (2, 0)
    assert bot.starts.cancelled == []


async def test_many_taps_cancel_once(ann: Person, bot: RunningBot) -> None:
    order_id = await placed(ann, "3")
    (question,) = await ann.press_data(data(order_id))
    tap = {"message_id": question["message_id"], "callback_data": data(f"{order_id}.yes"), "stale": True}
    for _ in range(5):
        await ann.do("press", **tap)
    assert await ann.answers() == []
    answer = "Stopped: 3 videos. Back on your balance: 3 credits. Balance now: 3 credits."
    assert answer in str((await shown(ann, question["message_id"]))["text"]), "the first answer stays"
    assert (await toasts(ann))[-1] == "Stopped: 3 credits back"
    assert await balance(ann, bot) == (3, 0)
    await told(bot, 3)
    assert len(bot.starts.cancelled) == 3


async def test_a_cancel_while_temporal_is_away(ann: Person, bot: RunningBot, database: Database) -> None:
    """Nothing was started yet: the rows are closed, and the sweeper finds nothing to start."""
    bot.starts.away = True
    order_id = await placed(ann, "1")
    (question,) = await ann.press_data(data(order_id))
    await ann.press("Yes, cancel")
    assert "Stopped: 1 video" in str((await shown(ann, question["message_id"]))["text"])
    assert await states(database) == ["CANCELLED"]
    bot.starts.away = False
    await asyncio.sleep(3 * bot.parts.time_scale)
    assert bot.starts.started == []
    assert await balance(ann, bot) == (3, 0)


@pytest.mark.parametrize(
    "forged", ["", ".", ".yes", "nonsense", "{order}.maybe", "{order}.yes.yes", "{order}-v1"]
)
async def test_forged_ids_stop_nothing(ann: Person, database: Database, forged: str) -> None:
    order_id = await placed(ann, "1")
    await ann.press_data(data(forged.format(order=order_id)))
    assert "older card" in (await ann.messages())[-2]["text"]
    assert await states(database) == ["OPEN"]


async def test_nobody_cancels_somebody_elses_order(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient, database: Database
) -> None:
    order_id = await placed(ann, "1")
    bob = await Person.join(http, 502)
    await bob.text("/start")
    for way in (order_id, f"{order_id}.yes", f"{order_id}.no"):
        stale, _ = await bob.press_data(data(way))
        assert "older card" in stale["text"]
    assert await states(database) == ["OPEN"]
    assert bot.starts.cancelled == []
