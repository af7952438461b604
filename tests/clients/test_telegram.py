"""Every transport situation by a real socket, and no trace of the bot token in what comes out."""

import asyncio
import logging
import socket
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiogram import exceptions
from pydantic import SecretStr

from clients.telegram import (
    FileGone,
    FileTooLarge,
    MessageGone,
    SentMessage,
    TelegramBlocked,
    TelegramClient,
    TelegramError,
    TelegramNotSent,
    TelegramRateLimited,
    TelegramRefused,
    TelegramUnknown,
    inline_keyboard,
)
from clients.telegram_session import aiogram_bot
from domain.actions import Action, Button, Card
from tests.clients.raw_http import DROP, RawServer, http, http_json, raw_server

TOKEN = "123456:SECRET-token-of-the-bot"
CARD = Card("<b>hello</b>", ((Button("Go", Action.GENERATE, "d1", "n1"),),))
MESSAGE = {"message_id": 7, "date": 0, "chat": {"id": 5, "type": "private"}}
VIDEO = {"file_id": "vid", "file_unique_id": "u", "width": 1, "height": 1, "duration": 1}


def accepted(**fields: Any) -> bytes:
    return http_json(200, {"ok": True, "result": {**MESSAGE, **fields}})


def refused(code: int, description: str, **parameters: Any) -> bytes:
    return http_json(
        code, {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    )


@asynccontextmanager
async def client_of(origin: str, upload_timeout_seconds: float = 20) -> AsyncIterator[TelegramClient]:
    client = TelegramClient(SecretStr(TOKEN), origin, upload_timeout_seconds)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def talking_to(*answers: bytes, **options: Any) -> AsyncIterator[tuple[TelegramClient, RawServer]]:
    async with raw_server(*answers, **options) as server, client_of(server.origin) as client:
        yield client, server


def shows_no_token(error: BaseException) -> bool:
    """The text, the chain, and the local values in the frames of ours, as a log may print them."""
    told = "".join(traceback.format_exception(error))
    chain = "".join(f"{each} {each!r}" for each in (error, error.__cause__, error.__context__))
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    values = [frame.f_locals for frame in frames if frame.f_code.co_filename != __file__]
    return TOKEN not in told + chain + repr(values)


async def test_text_goes_out_with_its_buttons() -> None:
    async with talking_to(accepted(text="hello")) as (client, server):
        sent = await client.send_text(5, CARD, silent=True, reply_to=3)
    assert sent == SentMessage(7)
    assert b"sendMessage" in server.requests[0]
    assert b"gen%3Ad1%3An1" in server.requests[0]
    assert b"allow_sending_without_reply" in server.requests[0]


async def test_photo_and_video_return_their_file_ids(tmp_path: Path) -> None:
    photo = {"file_id": "small", "file_unique_id": "u", "width": 1, "height": 1}
    path = tmp_path / "movie.mp4"
    path.write_bytes(b"movie bytes")
    async with talking_to(
        accepted(photo=[photo, {**photo, "file_id": "large"}]),
        accepted(video=VIDEO),
        accepted(animation=VIDEO),
    ) as (client, server):
        assert (await client.send_photo(5, b"jpeg", CARD)).photo_file_id == "large"
        sent = await client.send_video(5, path, 720, 1280, 5.0, CARD)
        edited = await client.edit_to_video(5, 7, "vid", 720, 1280, 5.0, CARD)
    assert sent.video_file_id == edited.video_file_id == "vid"
    assert b"movie bytes" in server.requests[1]
    assert b"duration" in server.requests[1]


async def test_edit_of_buttons_tells_whether_the_message_holds_a_video() -> None:
    async with talking_to(accepted(video=VIDEO), accepted(text="no")) as (client, _):
        assert (await client.edit_buttons(5, 7, CARD.rows)).holds_video
        assert not (await client.edit_buttons(5, 7, CARD.rows)).holds_video


async def test_edit_that_changes_nothing_is_a_success() -> None:
    same = refused(400, "Bad Request: message is not modified: specified new message content ...")
    async with talking_to(same) as (client, _):
        assert await client.edit_caption(5, 7, CARD) == SentMessage(7, modified=False)
        assert (await client.edit_to_video(5, 7, "vid", 1, 1, 1, CARD)).video_file_id == "vid"


async def test_edit_may_be_answered_without_the_message() -> None:
    async with talking_to(http_json(200, {"ok": True, "result": True})) as (client, _):
        assert await client.edit_text(5, 7, CARD) == SentMessage(7)
        with pytest.raises(TelegramUnknown):
            await client.send_text(5, CARD)


async def test_every_call_has_a_connection_of_its_own() -> None:
    """The other side closes a kept one without a word, and that would look like a lost answer."""
    connections = 0

    async def answer_once_and_stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(accepted().replace(b"connection: close", b"connection: keep-alive"))
        await reader.read()  # to the end: the client hangs up
        writer.close()

    server = await asyncio.start_server(answer_once_and_stay, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, client_of(f"http://127.0.0.1:{port}") as client:
        await client.send_text(5, CARD)
        await client.send_text(5, CARD)
    assert connections == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refused(400, "Bad Request: can't parse entities"), TelegramRefused),
        (refused(400, "Bad Request: message to edit not found"), MessageGone),
        (refused(400, "Bad Request: message can't be edited"), MessageGone),
        (refused(400, "Bad Request: there is no caption in the message to edit"), MessageGone),
        (refused(400, "Bad Request: chat not found"), TelegramBlocked),
        (refused(401, "Unauthorized"), TelegramRefused),
        (refused(403, "Forbidden: bot was blocked by the user"), TelegramBlocked),
        (refused(403, "Forbidden: user is deactivated"), TelegramBlocked),
        (refused(413, "Request Entity Too Large"), TelegramRefused),
        (refused(429, "Too Many Requests: retry after 3", retry_after=3), TelegramRateLimited),
        (refused(429, "Too Many Requests"), TelegramRateLimited),
        (refused(500, "Internal Server Error: restart"), TelegramUnknown),
        (http_json(500, {"ok": False}), TelegramUnknown),
        (http_json(200, {"ok": False, "error_code": 500, "description": "restart"}), TelegramUnknown),
        (http_json(404, {"ok": True, "result": MESSAGE}), TelegramUnknown),
        (refused(400, f"Bad Request: /bot{TOKEN}/sendMessage"), TelegramRefused),
        (http(302, b"", extra="location: http://127.0.0.1:1/elsewhere\r\n"), TelegramUnknown),
        (http(502, f"<html>/bot{TOKEN}/sendMessage</html>".encode(), "text/html"), TelegramUnknown),
        (http(404, f"Cannot POST /bot{TOKEN}/sendMessage".encode(), "text/plain"), TelegramUnknown),
        (http_json(200, {"ok": True, "result": {"odd": 1}}), TelegramUnknown),
        (accepted(text="cut off")[:-20], TelegramUnknown),
        (DROP, TelegramUnknown),
    ],
)
async def test_answer_decides_the_outcome(answer: bytes, expected: type[TelegramError]) -> None:
    async with talking_to(answer) as (client, server):
        with pytest.raises(TelegramError) as caught:
            await client.edit_text(5, 7, CARD)
    assert type(caught.value) is expected
    assert shows_no_token(caught.value)
    assert len(server.requests) == 1


async def test_rate_limit_tells_the_wait() -> None:
    async with talking_to(refused(429, "Too Many Requests: retry after 3", retry_after=3)) as (client, _):
        with pytest.raises(TelegramRateLimited) as caught:
            await client.send_text(5, CARD)
    assert caught.value.retry_after_seconds == 3.0


async def test_silence_after_the_request_is_unknown() -> None:
    async with raw_server(accepted(), delay_seconds=60) as server, client_of(server.origin, 10) as client:
        with pytest.raises(TelegramUnknown) as caught:
            await client.send_photo(5, b"jpeg", CARD)
    assert shows_no_token(caught.value)
    assert server.requests


@asynccontextmanager
async def full_backlog() -> AsyncIterator[str]:
    """An address whose connections are never accepted: the kernel ignores further ones."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        await asyncio.sleep(0.05)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            for each in waiting:
                each.close()


async def test_connect_that_hangs_was_not_sent() -> None:
    async with full_backlog() as origin, client_of(origin, 24) as client:
        with pytest.raises(TelegramNotSent) as caught:
            await client.send_photo(5, b"jpeg", CARD)
    assert shows_no_token(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_refused_connection_was_not_sent(scheme: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with client_of(f"{scheme}://127.0.0.1:{port}") as client:
            with pytest.raises(TelegramNotSent) as caught:
                await client.send_text(5, CARD)
    assert shows_no_token(caught.value)


async def test_tls_failure_was_not_sent() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"this is no TLS\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, client_of(f"https://127.0.0.1:{port}") as client:
        with pytest.raises(TelegramNotSent):
            await client.send_text(5, CARD)


async def test_unknown_host_was_not_sent() -> None:
    async with client_of("http://no-such-host.invalid") as client:
        with pytest.raises(TelegramNotSent):
            await client.send_text(5, CARD)


async def test_file_that_cannot_be_read_shows_no_token() -> None:
    async with talking_to(accepted()) as (client, _):
        with pytest.raises(TelegramUnknown) as caught:
            await client.send_video(5, Path("/no/such/movie.mp4"), 1, 1, 1, CARD)
    assert shows_no_token(caught.value)


async def test_download_reads_the_file() -> None:
    file = http_json(
        200, {"ok": True, "result": {"file_id": "f", "file_unique_id": "u", "file_path": "a/b.jpg"}}
    )
    async with talking_to(file, http(200, b"bytes", "image/jpeg")) as (client, server):
        assert await client.download("f", 10) == b"bytes"
    assert f"/file/bot{TOKEN}/a/b.jpg".encode() in server.requests[1]


FILE = {"file_id": "f", "file_unique_id": "u", "file_path": "a/b.jpg"}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")], FileGone),
        ([refused(400, "Bad Request: file is too big")], FileTooLarge),
        ([http_json(200, {"ok": True, "result": {**FILE, "file_size": 11}})], FileTooLarge),
        ([http_json(200, {"ok": True, "result": FILE}), http(200, b"x" * 11)], FileTooLarge),
        ([http_json(200, {"ok": True, "result": FILE}), http(404, b"")], FileGone),
        ([http_json(200, {"ok": True, "result": FILE}), http(429, b"")], TelegramRateLimited),
        ([http_json(200, {"ok": True, "result": FILE}), http(408, b"")], TelegramUnknown),
        ([http_json(200, {"ok": True, "result": FILE}), http(502, b"")], TelegramUnknown),
        ([http_json(200, {"ok": True, "result": FILE}), DROP], TelegramUnknown),
        ([http_json(200, {"ok": True, "result": FILE}), http(200, b"x" * 9)[:-5]], TelegramUnknown),
    ],
)
async def test_download_that_fails(answers: list[bytes], expected: type[TelegramError]) -> None:
    async with talking_to(*answers) as (client, _):
        with pytest.raises(TelegramError) as caught:
            await client.download("f", 10)
    assert type(caught.value) is expected
    assert shows_no_token(caught.value)


async def test_logs_show_no_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with talking_to(DROP, refused(400, "Bad Request"), accepted()) as (client, _):
        for _ in range(2):
            with pytest.raises(TelegramError):
                await client.send_text(5, CARD)
        await client.send_text(5, CARD)
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("answer", [DROP, http(502, TOKEN.encode()), http(200, TOKEN.encode())])
async def test_plain_bot_raises_aiogram_errors_without_the_token(answer: bytes) -> None:
    async with raw_server(answer) as server:
        bot = aiogram_bot(SecretStr(TOKEN), server.origin)
        with pytest.raises(exceptions.TelegramAPIError) as caught:
            await bot.get_me()
        await bot.session.close()
    assert shows_no_token(caught.value)
    assert TOKEN not in repr(bot)


def test_token_is_in_no_representation() -> None:
    client = TelegramClient(SecretStr(TOKEN), "http://127.0.0.1:1")
    assert TOKEN not in repr(client) + repr(vars(client))


@pytest.mark.unit
def test_card_without_buttons_has_no_keyboard() -> None:
    assert inline_keyboard(()) is None
