"""Storage that is not as it should be: one sentence, in time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from clients.backups import BackupMissing, BackupStorage, BackupsUnavailable
from local.processes import LOCALHOST


@pytest_asyncio.fixture
async def silent() -> AsyncIterator[str]:
    """An S3 that takes every connection and says nothing."""
    held: list[asyncio.StreamWriter] = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(hold, LOCALHOST, 0)
    yield f"http://{LOCALHOST}:{server.sockets[0].getsockname()[1]}"
    for writer in held:
        writer.close()
    server.close()
    await server.wait_closed()


async def test_storage_that_says_nothing_is_not_waited_for(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ENDPOINT": silent,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu",
    }.items():
        monkeypatch.setenv(name, value)
    storage = BackupStorage("s3://backups", answer_seconds_max=0.5)
    with pytest.raises(BackupsUnavailable, match="did not answer"):
        await storage.files()
    with pytest.raises(BackupsUnavailable, match="did not answer"):
        await storage.get("7/base/x/backup.json")


async def test_what_is_not_there_is_said_by_its_key(tmp_path: Path) -> None:
    storage = BackupStorage(f"file://{tmp_path}")
    with pytest.raises(BackupMissing, match="holds no 7/wal/x"):
        await storage.get_to_file("7/wal/x", tmp_path / "x")
    assert await storage.files("7/") == []


async def test_a_file_comes_back_as_it_was(tmp_path: Path) -> None:
    storage = BackupStorage(f"file://{tmp_path / 'kept'}")
    content = bytes(range(256)) * 100_000
    (tmp_path / "large").write_bytes(content)
    await storage.put("7/base/x/base.tar.gz", tmp_path / "large")
    await storage.get_to_file("7/base/x/base.tar.gz", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content
    assert [(each.key, each.bytes) for each in await storage.files("7/")] == [
        ("7/base/x/base.tar.gz", len(content))
    ]
