"""Files and their file_ids. Photos are re-encoded, everything else is kept as it was sent."""

import asyncio
import base64
import mimetypes
import secrets
from pathlib import Path
from typing import Any, Final

from standins.telegram.errors import ApiError, bad_request
from standins.telegram.media import (
    FilmFacts,
    NotAPicture,
    Picture,
    film_facts,
    photo_sizes,
    picture_dimensions,
    thumbnail,
)
from standins.telegram.model import Memory, StoredFile

Json = dict[str, Any]

PHOTO_BYTES_MAX: Final = 10 * 1024 * 1024
UPLOAD_BYTES_MAX: Final = 50 * 1024 * 1024
DOWNLOAD_BYTES_MAX: Final = 20 * 1024 * 1024
_PHOTO_SIDES_SUM_MAX: Final = 10_000
_PHOTO_RATIO_MAX: Final = 20

# The first characters of a real file_id tell its kind; engineers read them.
_PREFIX: Final = {"photo": "AgACAgIAAxkB", "video": "BAACAgIAAxkB", "animation": "CgACAgIAAxkB"}
_PREFIX_OTHERS: Final = {
    "voice": "AwACAgIAAxkB",
    "thumbnail": "AAMCAgADGQEA",
    "document": "BQACAgIAAxkB",
    "sticker": "CAACAgIAAxkB",
}
_FOLDER: Final = {"photo": "photos", "video": "videos", "animation": "animations", "voice": "voice"}
_SUFFIX: Final = {"image/jpeg": ".jpg", "image/png": ".png", "video/mp4": ".mp4", "audio/ogg": ".oga"}


class FileStore:
    def __init__(self, memory: Memory, folder: Path) -> None:
        self._memory = memory
        self._folder = folder

    # -- reading

    def find(self, file_id: str) -> StoredFile:
        found = self._memory.files.get(file_id)
        if found is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return found

    def by_path(self, path: str) -> StoredFile | None:
        return next((file for file in self._memory.files.values() if file.path == path), None)

    def location(self, file: StoredFile) -> Path:
        return self._folder / file.path

    def attachment_of(self, file_id: str, wanted: str) -> Json:
        """The part of a Message for a file Telegram already has."""
        found = self.find(file_id)
        if found.gone or not found.attachment:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if (found.kind == "photo") != (wanted == "photo"):
            raise bad_request(f"can't use file of type {found.kind.title()} as {wanted.title()}")
        return found.attachment

    def link(self, file_id: str) -> Json:
        """What getFile answers; asking again renews an expired link."""
        found = self._memory.files.get(file_id)
        if found is None:
            raise bad_request("invalid file_id")
        if found.gone:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if found.file_size > DOWNLOAD_BYTES_MAX:
            raise bad_request("file is too big")
        found.link_expired = False
        sizes = {"file_size": found.file_size, "file_path": found.path}
        return {"file_id": found.file_id, "file_unique_id": found.file_unique_id, **sizes}

    # -- keeping

    async def keep(self, wanted: str, content: bytes, name: str = "", mime_type: str = "") -> Json:
        """Keep a bot's upload as `wanted`; answers the part of the Message that shows it."""
        _check_upload(content)
        if wanted == "photo":
            await asyncio.to_thread(_check_photo, content)
            return await self.keep_photo(content)
        if wanted in {"video", "animation"}:
            return await self._keep_film(content, name, mime_type)
        return await self.keep_document(content, name, mime_type)

    async def keep_photo(self, content: bytes) -> Json:
        try:
            pictures = await asyncio.to_thread(photo_sizes, content)
        except NotAPicture:
            raise bad_request("IMAGE_PROCESS_FAILED") from None
        shown = [self._keep_picture(picture, "photo") for picture in pictures]
        attachment = {"photo": shown}
        for size in shown:
            self._memory.files[size["file_id"]].attachment = attachment
        return attachment

    async def keep_document(self, content: bytes, name: str, mime_type: str) -> Json:
        mime_type = mime_type or _guessed_type(name)
        facts: Json = {"file_name": name or "file", "mime_type": mime_type}
        if facts["mime_type"].startswith("image/"):
            facts |= self._thumbnail(await asyncio.to_thread(thumbnail, content))
        return self._keep_as("document", content, facts)

    def keep_voice(self, content: bytes, duration_seconds: int) -> Json:
        return self._keep_as("voice", content, {"mime_type": "audio/ogg", "duration": duration_seconds})

    def keep_sticker(self, content: bytes, emoji: str) -> Json:
        stored = self._store("sticker", content, "image/webp", ".webp")
        facts = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
        ids = {"file_id": stored.file_id, "file_unique_id": stored.file_unique_id}
        stored.attachment = {"sticker": {**facts, "emoji": emoji, **ids, "file_size": stored.file_size}}
        return stored.attachment

    async def _keep_film(self, content: bytes, name: str, mime_type: str) -> Json:
        film = await asyncio.to_thread(film_facts, content)
        if film is None or not film.is_mp4:
            return await self.keep_document(content, name, mime_type)
        facts = {**_film_fields(film), **self._thumbnail(film.thumbnail)}
        if name:
            facts["file_name"] = name
        # Telegram takes a film without a sound track for a GIF.
        return self._keep_as("video" if film.has_sound else "animation", content, facts)

    def _keep_as(self, kind: str, content: bytes, facts: Json) -> Json:
        stored = self._store(kind, content, facts["mime_type"], Path(facts.get("file_name", "")).suffix)
        ids = {"file_id": stored.file_id, "file_unique_id": stored.file_unique_id}
        shown = {**facts, **ids, "file_size": stored.file_size}
        # An animation is also a document, for bots older than animations.
        stored.attachment = {kind: shown} | ({"document": shown} if kind == "animation" else {})
        return stored.attachment

    def _keep_picture(self, picture: Picture, kind: str) -> Json:
        stored = self._store(kind, picture.jpeg, "image/jpeg", ".jpg")
        return {
            "file_id": stored.file_id,
            "file_unique_id": stored.file_unique_id,
            "file_size": stored.file_size,
            "width": picture.width,
            "height": picture.height,
        }

    def _thumbnail(self, picture: Picture | None) -> Json:
        return {"thumbnail": self._keep_picture(picture, "thumbnail")} if picture else {}

    def _store(self, kind: str, content: bytes, mime_type: str, suffix: str) -> StoredFile:
        number = self._memory.next_file_number
        self._memory.next_file_number += 1
        stored = StoredFile(
            file_id=_file_id(kind),
            file_unique_id=_file_unique_id(kind),
            kind=kind,
            path=f"{_FOLDER.get(kind, f'{kind}s')}/file_{number}{suffix or _SUFFIX.get(mime_type, '')}",
            mime_type=mime_type,
            file_size=len(content),
        )
        target = self.location(stored)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self._memory.files[stored.file_id] = stored
        return stored


def _guessed_type(name: str) -> str:
    # What iPhones send: not every system's table of types knows it.
    by_suffix = {".heic": "image/heic", ".heif": "image/heif"}.get(Path(name).suffix.lower())
    return by_suffix or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _check_upload(content: bytes) -> None:
    if len(content) > UPLOAD_BYTES_MAX:
        raise ApiError(413, "Request Entity Too Large")
    if not content:
        raise bad_request("file must be non-empty")


def _check_photo(content: bytes) -> None:
    if len(content) > PHOTO_BYTES_MAX:
        raise bad_request(
            f"file of size {len(content)} bytes is too big for a photo; "
            f"the maximum size is {PHOTO_BYTES_MAX} bytes"
        )
    try:
        width, height = picture_dimensions(content)
    except NotAPicture:
        raise bad_request("IMAGE_PROCESS_FAILED") from None
    if width + height > _PHOTO_SIDES_SUM_MAX or max(width, height) > _PHOTO_RATIO_MAX * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def _film_fields(film: FilmFacts) -> Json:
    return {
        "duration": film.duration_seconds,
        "width": film.width,
        "height": film.height,
        "mime_type": "video/mp4",
    }


def _file_id(kind: str) -> str:
    prefix = (_PREFIX | _PREFIX_OTHERS)[kind]
    return prefix + base64.urlsafe_b64encode(secrets.token_bytes(42)).decode().rstrip("=")


def _file_unique_id(kind: str) -> str:
    prefix = "AQAD" if kind in {"photo", "thumbnail"} else "AgAD"
    return prefix + base64.urlsafe_b64encode(secrets.token_bytes(8)).decode().rstrip("=")
