"""What outlives the moment: a film is known by its pictures, and Telegram's books say who saw it."""

import io
from pathlib import Path

import av
import httpx
import pytest

from clients.movies import make_sendable
from standins.movie import FILM_BEGINS, FILM_ENDS, MovieOrder, Sound, make_movie, open_photo, with_mark
from tests.standins.telegram_parts import film, keyboard, picture, telegram

MARK = "0123456789abcdef" * 2
OTHER = "f" * 32


def _is_marked(film: bytes, mark: str) -> bool:
    return f"{FILM_BEGINS}{mark}".encode() in film and f"{FILM_ENDS}{mark}".encode() in film


@pytest.mark.parametrize("sound", ["tone", "none"])
def test_a_film_keeps_its_mark_when_its_pictures_are_copied(tmp_path: Path, sound: Sound) -> None:
    order = MovieOrder(width=240, height=320, seconds=1.0, sound=sound, index_first=False)
    made = make_movie(open_photo(picture()), order)
    given, sent = tmp_path / "given.mp4", tmp_path / "sent.mp4"
    given.write_bytes(with_mark(made, MARK))
    make_sendable(given, sent)
    assert sent.read_bytes() != given.read_bytes()
    assert _is_marked(sent.read_bytes(), MARK)
    assert not _is_marked(sent.read_bytes(), OTHER)


def test_a_marked_film_plays_and_its_first_half_is_not_the_film() -> None:
    marked = with_mark(film(), MARK)
    with av.open(io.BytesIO(marked), "r") as container:
        assert len(list(container.decode(video=0))) == 8
    assert not _is_marked(marked[: len(marked) // 2], MARK)


def test_one_clip_becomes_films_that_differ() -> None:
    assert with_mark(film(), MARK) != with_mark(film(), OTHER)


async def test_the_books_say_what_was_shown_when_and_what_was_pressed(tmp_path: Path) -> None:
    async with telegram(tmp_path) as standin:
        vera, bot = await standin.person(), standin.bot
        shown = await bot.call(
            "sendMessage", chat_id=vera.id, text="one", reply_markup=keyboard("Yes", "y:1")
        )
        await vera.does("press", message_id=shown["message_id"], callback_data="y:1")
        (query,) = [each["callback_query"] for each in await bot.updates() if "callback_query" in each]
        await bot.call("answerCallbackQuery", callback_query_id=query["id"], text="Taken")
        await bot.call("editMessageText", chat_id=vera.id, message_id=shown["message_id"], text="two")
        await bot.call("deleteMessage", chat_id=vera.id, message_id=shown["message_id"])
        await vera.does("block")
        await vera.does("unblock")
        books = (await _books(standin.http)).json()
    (kept,) = [each for each in books["messages"] if each["from_bot"]]
    assert [each["text"] for each in kept["versions"]] == ["one", "two"]
    assert kept["deleted"] is True
    (press,) = books["presses"]
    assert (press["user_id"], press["message_id"]) == (vera.id, shown["message_id"])
    assert (press["data"], press["toast"]) == ("y:1", "Taken")
    assert books["users"] == [{"id": vera.id, "has_blocked": False, "times_blocked": 1}]


async def _books(http: httpx.AsyncClient) -> httpx.Response:
    return await http.get("/control/records")
