"""Our client and the stand-in were written apart, from the Bot API's documentation: they must agree."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import SecretStr

from clients.movies import make_sendable
from clients.telegram import (
    FileGone,
    FileTooLarge,
    MessageGone,
    TelegramBlocked,
    TelegramClient,
    TelegramRateLimited,
    TelegramRefused,
    TelegramUnknown,
)
from domain.actions import Action, Button, Card
from standins.server import running
from standins.telegram.app import build_app
from tests.clients.test_movies import make_movie

USER = 501
CARD = Card("<b>Your product</b> &amp; more", ((Button("Generate", Action.GENERATE, "d1"),),))
READY = Card("Ready", ((Button("More of this product", Action.MORE, "o1"),),))


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (320, 480), "teal").save(buffer, "JPEG")
    return buffer.getvalue()


@dataclass
class Telegram:
    """The client, and what the person at the other end sees and does."""

    client: TelegramClient
    http: httpx.AsyncClient

    async def order(self, path: str, **fields: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/control/{path}", json=fields)
        answer.raise_for_status()
        return dict(answer.json())

    async def seen(self) -> list[dict[str, Any]]:
        messages = (await self.http.get(f"/control/users/{USER}/messages")).json()["messages"]
        return [each for each in messages if each["from_bot"]]

    async def calls(self, method: str) -> int:
        return len((await self.http.get(f"/control/journal?where={method}")).json()["entries"])


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    async with running(build_app(tmp_path / "telegram")) as origin:
        client = TelegramClient(SecretStr("123456:token"), origin, upload_timeout_seconds=30)
        async with httpx.AsyncClient(base_url=origin, timeout=30, trust_env=False) as http:
            talk = Telegram(client, http)
            await talk.order("users", id=USER, first_name="Ann")
            await talk.order(f"users/{USER}/text", text="/start")
            yield talk
        await client.close()


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    make_sendable(make_movie(tmp_path / "raw.mp4", sound=False, index_first=False), tmp_path / "movie.mp4")
    return tmp_path / "movie.mp4"


async def test_placeholder_becomes_the_video(telegram: Telegram, movie: Path) -> None:
    client = telegram.client
    card = await client.send_photo(USER, jpeg(), CARD)
    again = await client.send_photo(USER, card.photo_file_id, CARD, silent=True)
    assert card.photo_file_id
    assert again.photo_unique_id == card.photo_unique_id
    assert not (await client.edit_caption(USER, card.message_id, Card("Making"))).holds_video
    done = await client.edit_to_video(USER, card.message_id, movie, 64, 96, 2.0, READY)
    second = await client.edit_to_video(USER, again.message_id, done.video_file_id, 64, 96, 2.0, READY)
    assert (done.message_id, done.holds_video, second.holds_video) == (card.message_id, True, True)
    rung = await client.send_text(USER, READY, reply_to=done.message_id)
    first, _, reply = await telegram.seen()
    assert (first["kind"], first["text"], first["media"]["width"]) == ("video", "Ready", 64)
    assert reply["message_id"] == rung.message_id
    assert reply["reply_to_message_id"] == done.message_id


async def test_lost_answer_is_found_by_looking(telegram: Telegram, movie: Path) -> None:
    client = telegram.client
    card = await client.send_photo(USER, jpeg(), CARD)
    await telegram.order("faults", where="editMessageMedia", kind="drop_answer")
    with pytest.raises(TelegramUnknown):
        await client.edit_to_video(USER, card.message_id, movie, 64, 96, 2.0, READY)
    rows = ((Button("More of this product", Action.MORE, "o1", nonce="ab12"),),)
    assert (await client.edit_buttons(USER, card.message_id, rows)).holds_video
    assert await telegram.calls("editMessageMedia") == 1


async def test_lost_request_is_found_by_looking(telegram: Telegram, movie: Path) -> None:
    client = telegram.client
    card = await client.send_photo(USER, jpeg(), CARD)
    await telegram.order("faults", where="editMessageMedia", kind="drop_request")
    with pytest.raises(TelegramUnknown):
        await client.edit_to_video(USER, card.message_id, movie, 64, 96, 2.0, READY)
    rows = ((Button("Generate", Action.GENERATE, "d1", nonce="ab12"),),)
    assert not (await client.edit_buttons(USER, card.message_id, rows)).holds_video


async def test_mute_movie_counts_as_a_video_too(telegram: Telegram, tmp_path: Path) -> None:
    mute = make_movie(tmp_path / "mute.mp4", sound=False, index_first=True)
    assert (await telegram.client.send_video(USER, mute, 64, 96, 2.0, READY)).holds_video
    assert (await telegram.seen())[0]["kind"] == "animation"


async def test_edits_that_change_nothing_or_find_nothing(telegram: Telegram) -> None:
    client = telegram.client
    sent = await client.send_text(USER, CARD)
    assert not (await client.edit_text(USER, sent.message_id, CARD)).modified
    assert not (await client.edit_buttons(USER, sent.message_id, CARD.rows)).modified
    with pytest.raises(MessageGone):
        await client.edit_text(USER, 99_999, CARD)
    with pytest.raises(MessageGone):
        await client.edit_caption(USER, sent.message_id, CARD)


async def test_reply_to_a_message_that_is_gone_still_goes_out(telegram: Telegram) -> None:
    await telegram.client.send_text(USER, READY, reply_to=99_999)
    assert len(await telegram.seen()) == 1


async def test_blocked_unknown_and_limited(telegram: Telegram) -> None:
    client = telegram.client
    limit = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 7"}
    body = {**limit, "parameters": {"retry_after": 7}}
    await telegram.order("faults", where="sendMessage", status=429, body=body)
    with pytest.raises(TelegramRateLimited) as limited:
        await client.send_text(USER, CARD)
    with pytest.raises(TelegramBlocked):
        await client.send_text(USER + 1, CARD)
    await telegram.order(f"users/{USER}/block")
    with pytest.raises(TelegramBlocked):
        await client.send_text(USER, CARD)
    assert limited.value.retry_after_seconds == 7.0
    assert not await telegram.seen()


async def test_wrong_html_and_long_text_are_refused(telegram: Telegram) -> None:
    for text in ("<b>never closed", "x" * 4_097, ""):
        with pytest.raises(TelegramRefused):
            await telegram.client.send_text(USER, Card(text))


async def test_files_come_back_until_they_are_gone(telegram: Telegram) -> None:
    client = telegram.client
    photo = jpeg()
    sent = await client.send_photo(USER, photo, CARD)
    assert Image.open(io.BytesIO(await client.download(sent.photo_file_id))).size == (320, 480)
    with pytest.raises(FileTooLarge):
        await client.download(sent.photo_file_id, bytes_max=10)
    with pytest.raises(FileGone):
        await client.download("AgACAgIAAxkBnosuchfile")
    await telegram.order("files/expire", file_id=sent.photo_file_id, forever=True)
    with pytest.raises(FileGone):
        await client.download(sent.photo_file_id)
