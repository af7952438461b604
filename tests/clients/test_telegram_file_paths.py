"""What Telegram says of a file goes into an address that holds the bot's token."""

import pytest
from pydantic import SecretStr

from clients.telegram import FileGone, FileTooLarge, TelegramClient
from tests.clients.raw_http import http, http_json, raw_server


def file_at(path: str, size: int = 5) -> bytes:
    return http_json(200, {"ok": True, "result": {"file_id": "f", "file_path": path, "file_size": size}})


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/etc/passwd", "../bot1:x/getMe", "photos/../../bot1:x/deleteWebhook", "photos//a", "./a"),
        *(
            "photos/a?x=1",
            "photos/a#x",
            "photos/%2e%2e/a",
            "photos\\..\\a",
            "a\r\nhost: evil.example",
            "a\x00",
        ),
    ],
)
async def test_a_path_that_leads_elsewhere_is_not_asked_for(path: str) -> None:
    async with raw_server(file_at(path), http(200, b"bytes")) as server:
        client = TelegramClient(SecretStr("1:token"), server.origin)
        with pytest.raises(FileGone):
            await client.download("f", 10)
        await client.close()
    assert len(server.requests) == 1


@pytest.mark.parametrize("path", ["photos/file_1.jpg", "documents/file 2.Фото.PNG", "a"])
async def test_paths_as_telegram_makes_them(path: str) -> None:
    async with raw_server(file_at(path), http(200, b"bytes")) as server:
        client = TelegramClient(SecretStr("1:token"), server.origin)
        assert await client.download("f", 10) == b"bytes"
        await client.close()


async def test_a_size_that_lies_is_found_out() -> None:
    async with raw_server(file_at("photos/a.jpg", size=1), http(200, b"x" * 11)) as server:
        client = TelegramClient(SecretStr("1:token"), server.origin)
        with pytest.raises(FileTooLarge):
            await client.download("f", 10)
        await client.close()
