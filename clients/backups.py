"""Where backups are kept: `file:///…` or `s3://…`, as MEDIA_URL has it, with time for large files."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from clients.media import CONNECT_TIMEOUT, folder_of
from clients.storage_trouble import is_without_bucket, trouble_of

_TRANSFER_TIMEOUT: Final = timedelta(hours=2)
_SILENCE_TIMEOUT: Final = timedelta(minutes=5)  # a part of an upload takes as long on a slow line
_TRIES: Final = 5


class BackupsUnavailable(Exception):
    """One sentence: BACKUP_URL cannot be read or written, and why. No credential is in it."""


class BackupMissing(Exception):
    """Nothing is kept under this key."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    key: str
    bytes: int
    kept_at: datetime


class BackupStorage:
    """A put is seen whole or not at all. S3 reads its credentials from the AWS_* variables."""

    def __init__(self, url: str, answer_seconds_max: float = 60.0) -> None:
        """What is small comes within that time, or never. Raise BackupsUnavailable for a bad folder."""
        self._answer_seconds_max = answer_seconds_max
        folder = folder_of(url)
        with _told_as_ours("*"):
            self._store: LocalStore | S3Store = (
                _s3(url) if folder is None else LocalStore(prefix=folder, mkdir=True)
            )

    async def put(self, key: str, content: bytes | Path) -> None:
        with _told_as_ours(key):
            await self._store.put_async(key, content)

    async def get(self, key: str) -> bytes:
        with _told_as_ours(key):
            async with asyncio.timeout(self._answer_seconds_max):
                answer = await self._store.get_async(key)
                return bytes(await answer.bytes_async())

    async def get_to_file(self, key: str, path: Path) -> None:
        """Raise OSError where the file cannot be written."""
        with path.open("wb") as file:
            async for chunk in self._chunks(key):
                file.write(chunk)

    async def _chunks(self, key: str) -> AsyncIterator[bytes]:
        with _told_as_ours(key):
            answer = await self._store.get_async(key)
            async for chunk in answer.stream():
                yield bytes(chunk)

    async def files(self, prefix: str = "", after: str = "") -> list[KeptFile]:
        """Those with a key behind `after`."""
        with _told_as_ours(prefix):
            async with asyncio.timeout(self._answer_seconds_max):
                return [
                    KeptFile(each["path"], each["size"], each["last_modified"])
                    async for batch in self._store.list(prefix or None, offset=after or None)
                    for each in batch
                ]

    async def delete(self, keys: Iterable[str]) -> None:
        """What is not there is deleted already."""
        for key in keys:
            try:
                with _told_as_ours(key):
                    await self._store.delete_async(key)
            except BackupMissing:
                continue


def _s3(url: str) -> S3Store:
    """Nobody else tries again here, and plain http is for the operator's own storage to decide."""
    return S3Store.from_url(
        url,
        client_options={
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": _SILENCE_TIMEOUT,
            "timeout": _TRANSFER_TIMEOUT,
            "allow_http": True,
        },
        retry_config={"max_retries": _TRIES},
    )


@contextmanager
def _told_as_ours(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as missing:
        if is_without_bucket(missing):
            raise BackupsUnavailable(f"BACKUP_URL cannot be used: {trouble_of(missing)}") from None
        raise BackupMissing(f"BACKUP_URL holds no {key}") from None
    except TimeoutError:
        raise BackupsUnavailable(f"BACKUP_URL did not answer ({key})") from None
    except (BaseError, OSError) as error:
        raise BackupsUnavailable(f"BACKUP_URL cannot be used ({key}): {trouble_of(error)}") from None
