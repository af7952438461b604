"""Photos and videos that we keep, under keys made here."""

import asyncio
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from clients.storage_trouble import is_without_bucket, trouble_of

CONNECT_TIMEOUT: Final = timedelta(seconds=10)
TRANSFER_TIMEOUT: Final = timedelta(seconds=120)

_KEY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def photo_key(order_id: str) -> str:
    return f"orders/{order_id}/photo.jpg"


def view_key(order_id: str, number: int) -> str:
    """A further picture of the product."""
    return f"orders/{order_id}/view-{number}.jpg"


def video_key(video_id: str) -> str:
    return f"videos/{video_id}.mp4"


class MediaError(Exception):
    """Base of what a MediaStorage raises. No text of it holds an address or a credential."""


class MediaMissing(MediaError):
    """Nothing is kept under this key (any more)."""


class MediaUnavailable(MediaError):
    """The storage did not answer, or refused; trying again may help."""


class MediaStorage:
    """`file:///absolute/folder`, `file://./relative/folder` or `s3://bucket/prefix`.

    A put is seen whole or not at all. S3 reads its credentials from the AWS_* variables.
    """

    def __init__(self, url: str) -> None:
        folder = folder_of(url)
        self._store = (
            _s3_store(url)
            if folder is None
            else LocalStore(prefix=folder, mkdir=True, automatic_cleanup=True)
        )

    async def put(self, key: str, content: bytes | Path) -> None:
        with _told_as_ours(key):
            await self._store.put_async(_checked(key), content)

    async def get(self, key: str) -> bytes:
        with _told_as_ours(key):
            answer = await self._store.get_async(_checked(key))
            return bytes(await answer.bytes_async())

    async def get_to_file(self, key: str, path: Path) -> None:
        """`path` appears whole or not at all."""
        with _told_as_ours(key):
            await asyncio.to_thread(self._copy_to_file, _checked(key), path)

    async def exists(self, key: str) -> bool:
        try:
            with _told_as_ours(key):
                await self._store.head_async(_checked(key))
        except MediaMissing:
            return False
        return True

    async def delete(self, keys: Iterable[str]) -> None:
        """What is not there is deleted already."""
        with _told_as_ours("*"):
            await self._delete([_checked(key) for key in keys])

    async def delete_older_than(self, moment: datetime, keep: Collection[str] = ()) -> int:
        """How many were deleted; the keys in `keep` stay, however old."""
        deleted = 0
        with _told_as_ours("*"):
            async for batch in self._store.list(chunk_size=500):
                old = [
                    each["path"]
                    for each in batch
                    if each["last_modified"] < moment and each["path"] not in keep
                ]
                await self._delete(old)
                deleted += len(old)
        return deleted

    async def _delete(self, keys: list[str]) -> None:
        for key in keys:
            try:
                await self._store.delete_async(key)
            except FileNotFoundError:
                continue  # another process cleans up too

    def _copy_to_file(self, key: str, path: Path) -> None:
        answer = self._store.get(key)
        partial = path.with_name(f"{path.name}.partial")
        with partial.open("wb") as file:
            for chunk in answer.stream():
                file.write(chunk)
        partial.replace(path)


def folder_of(url: str) -> Path | None:
    """Where on this machine it keeps; `file://./folder` has its first step where a host would stand."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    host = "" if parts.netloc == "localhost" else parts.netloc
    return Path(os.path.abspath(unquote(host + parts.path)))  # noqa: PTH100 - links are the operator's


def _s3_store(url: str) -> S3Store:
    """Temporal is the only owner of retries. Plain http is for the operator's own storage to decide."""
    return S3Store.from_url(
        url,
        client_options={
            "connect_timeout": CONNECT_TIMEOUT,
            "timeout": TRANSFER_TIMEOUT,
            "allow_http": True,
        },
        retry_config={"max_retries": 0},
    )


def _checked(key: str) -> str:
    """Refuse everything that is not a plain relative key: no dots in front, no empty step, no escapes."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a media key: {key!r}")
    return key


@contextmanager
def _told_as_ours(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as missing:
        if is_without_bucket(missing):
            raise MediaUnavailable(f"{key}: {trouble_of(missing)}") from None
        raise MediaMissing(key) from None
    except (BaseError, OSError) as error:
        raise MediaUnavailable(f"{key}: {trouble_of(error)}") from None
