"""The example picture: uploaded once, and never in the way of the question."""

import io
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from bot.examples import _PICTURE, show_templates
from bot.turn import Turn, begin_turn
from clients.telegram import TelegramBlocked
from domain.orders import Language
from store.database import Database
from tests.bot.chat import Person, RunningBot, labels, running_bot
from texts import cards

CARD = cards.ask_template(Language.EN)


@pytest_asyncio.fixture
async def turn(bot: RunningBot, ann: Person) -> Turn:
    await ann.text("/start")
    return await begin_turn(bot.parts, await bot.parts.users.register(ann.id, "en"))


async def uploads(ann: Person) -> list[bool]:
    """Of each picture sent, whether it went along as a file."""
    journal = (await ann.http.get("/control/journal", params={"where": "sendPhoto"})).json()["entries"]
    return ["photo.jpg" in str(entry["fields"]) for entry in journal]


async def fault(ann: Person, **what: Any) -> None:
    (await ann.http.post("/control/faults", json=what)).raise_for_status()


REFUSAL = {"ok": False, "error_code": 400, "description": "Bad Request: IMAGE_PROCESS_FAILED"}


async def test_the_picture_carries_the_question_and_is_uploaded_once(turn: Turn, ann: Person) -> None:
    for _ in range(3):
        await show_templates(turn, CARD)
    shown = await ann.answers()
    assert [message["kind"] for message in shown] == ["photo"] * 3
    assert all("What shall the video be?" in message["text"] for message in shown)
    assert [button["text"] for row in shown[2]["buttons"] for button in row] == [
        button.label for row in CARD.rows for button in row
    ]
    assert await uploads(ann) == [True, False, False]


async def test_a_file_telegram_does_not_know_is_uploaded_again(turn: Turn, ann: Person) -> None:
    await show_templates(turn, CARD)
    async with turn.parts.shown_files._database.connection() as connection:
        assert await connection.execute("update shown_files set file_id = 'of another bot'") == "UPDATE 1"
    await show_templates(turn, CARD)
    await show_templates(turn, CARD)
    assert [message["kind"] for message in await ann.answers()] == ["photo"] * 3
    assert await uploads(ann) == [True, False, True, False]


async def test_without_the_picture_the_question_is_asked_all_the_same(turn: Turn, ann: Person) -> None:
    await fault(ann, where="sendPhoto", status=400, body=REFUSAL, times=-1)
    await show_templates(turn, CARD)
    (message,) = await ann.answers()
    assert (message["kind"], message["text"].splitlines()[0]) == ("text", "Nice. What shall the video be?")
    assert len(message["buttons"]) == 2


async def test_who_blocked_the_bot_is_asked_nothing(turn: Turn, ann: Person) -> None:
    await ann.do("block")
    with pytest.raises(TelegramBlocked):
        await show_templates(turn, CARD)


async def test_without_a_script_writer_the_picture_of_three_styles_is_not_shown(
    ann: Person, bot: RunningBot, database: Database, telegram_base: str
) -> None:
    await bot.stop()
    async with running_bot(database, telegram_base, offers_templates=False):
        (asked,) = await ann.photo()
    assert (asked["kind"], labels(asked)) == ("text", ["✍️ Own prompt"])
    assert await uploads(ann) == []


def test_the_picture_is_one_telegram_shows_as_it_is() -> None:
    content = _PICTURE.read_bytes()
    assert len(content) <= 200_000
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("JPEG", (1280, 720))
