"""A picture somebody sent: read from the message, and checked."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self

from aiogram.types import Document, Message, MessageOriginUser

from bot.dialog import Shot
from bot.photos import arrive
from bot.questions import question
from bot.screens import download, hint
from bot.turn import Turn
from bot.words import cleaned
from clients.opened import (
    PHOTO_BYTES_MAX,
    PHOTO_PIXELS_MAX,
    PHOTO_SIDE_PIXELS_MIN,
    PictureRefused,
)
from clients.telegram import FileGone, FileTooLarge
from domain.failures import FailureReason
from domain.orders import Photo
from texts import cards, change_cards

_PICTURE_NAMES: Final = (".jpg", ".jpeg", ".png", ".webp")
_HEIC_NAMES: Final = (".heic", ".heif")
_HEIC_TYPES: Final = ("image/heic", "image/heif")
_REASONS: Final = {
    FailureReason.PHOTO_TOO_SMALL: "small",
    FailureReason.PHOTO_TOO_LARGE: "large",
    FailureReason.PHOTO_FORMAT: "format",
    FailureReason.PHOTO_GONE: "gone",
}


class PictureKind(StrEnum):
    PHOTO = "photo"
    DOCUMENT = "document"
    HEIC = "heic"
    OURS = "ours"  # forwarded from this bot
    OTHER = "other"

    @property
    def usable(self) -> bool:
        return self in {PictureKind.PHOTO, PictureKind.DOCUMENT}


@dataclass(frozen=True, slots=True)
class Picture:
    """What Telegram says of it. A document's real size shows only when it is opened."""

    kind: PictureKind
    file_id: str = ""
    unique_id: str = ""
    width: int = 0
    height: int = 0
    size_bytes: int = 0
    message_id: int = 0
    caption: str = ""

    @classmethod
    def of(cls, message: Message) -> Self:
        said: dict[str, Any] = {"message_id": message.message_id, "caption": cleaned(message.caption or "")}
        kind = PictureKind.OURS if comes_from_us(message) else None
        if message.photo:
            largest = max(message.photo, key=lambda size: size.width * size.height)
            return cls(
                kind or PictureKind.PHOTO,
                largest.file_id,
                largest.file_unique_id,
                largest.width,
                largest.height,
                largest.file_size or 0,
                **said,
            )
        document = message.document
        if document is None or message.animation is not None:  # a GIF is a document too
            return cls(kind or PictureKind.OTHER, **said)
        kind = kind or _kind_of(document)
        size_bytes = document.file_size or 0
        return cls(kind, document.file_id, document.file_unique_id, size_bytes=size_bytes, **said)

    @classmethod
    def read(cls, collected: dict[str, Any]) -> Self:
        return cls(**{**collected, "kind": PictureKind(collected["kind"])})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def comes_from_us(message: Message) -> bool:
    """Forwarded by somebody, written by this bot."""
    origin = message.forward_origin
    bot = message.bot
    return isinstance(origin, MessageOriginUser) and bot is not None and origin.sender_user.id == bot.id


def _kind_of(document: Document) -> PictureKind:
    mime_type, name = (document.mime_type or "").lower(), (document.file_name or "").lower()
    if mime_type in _HEIC_TYPES or name.endswith(_HEIC_NAMES):
        return PictureKind.HEIC
    if mime_type.startswith("image/") or name.endswith(_PICTURE_NAMES):
        return PictureKind.DOCUMENT
    return PictureKind.OTHER


async def receive(turn: Turn, picture: Picture) -> None:
    if picture.kind is PictureKind.OURS:
        await tell_ours(turn, picture.unique_id)
        return
    if not picture.kind.usable:
        await hint(turn, "unsupported-heic" if picture.kind is PictureKind.HEIC else "unsupported-document")
        return
    try:
        shot = await _shot(turn, picture)
    except PictureRefused as refused:
        await turn.say(cards.photo_refused(turn.language, refused.reason))
        return
    await arrive(turn, (shot,))


async def receive_album(turn: Turn, pictures: Sequence[Picture]) -> None:
    """What cannot be used is named once; the rest goes on together."""
    if all(picture.kind is PictureKind.OURS for picture in pictures):
        await tell_ours(turn, pictures[0].unique_id)
        return
    read = [await shot_or_reason(turn, picture) for picture in pictures]
    reasons = [each for each in read if isinstance(each, str)]
    shots = tuple(each for each in read if isinstance(each, Shot))
    if reasons:
        await turn.say(change_cards.unusable_photos(turn.language, reasons, len(pictures)))
    if shots:
        await arrive(turn, shots)


async def tell_ours(turn: Turn, unique_id: str) -> None:
    """Something of ours was forwarded: with the button for the same again, where its order is found."""
    drafts = turn.parts.drafts
    order_id = await drafts.last_order_of_photo(turn.user.tg_user_id, unique_id) if unique_id else None
    await turn.say(change_cards.forwarded_ours(turn.language, question(turn), order_id or ""))


async def shot_or_reason(turn: Turn, picture: Picture) -> Shot | str:
    if not picture.kind.usable:
        return picture.kind.value
    try:
        return await _shot(turn, picture)
    except PictureRefused as refused:
        return _REASONS.get(refused.reason, "format")


async def _shot(turn: Turn, picture: Picture) -> Shot:
    """Raise PictureRefused with what a person can act on."""
    photo = await _photo(turn, picture)
    return Shot(photo, picture.message_id, picture.caption)


async def _photo(turn: Turn, picture: Picture) -> Photo:
    if picture.size_bytes > PHOTO_BYTES_MAX:
        raise PictureRefused(FailureReason.PHOTO_TOO_LARGE)
    if picture.kind is PictureKind.DOCUMENT:
        await _open_document(turn, picture.file_id)
        return Photo(picture.file_id, picture.unique_id)
    if picture.width * picture.height > PHOTO_PIXELS_MAX:
        raise PictureRefused(FailureReason.PHOTO_TOO_LARGE)
    if min(picture.width, picture.height) < PHOTO_SIDE_PIXELS_MIN:
        raise PictureRefused(FailureReason.PHOTO_TOO_SMALL)
    return Photo(picture.file_id, picture.unique_id, card_file_id=picture.file_id)


async def _open_document(turn: Turn, file_id: str) -> None:
    try:
        data = await download(turn, file_id)
    except FileTooLarge:
        raise PictureRefused(FailureReason.PHOTO_TOO_LARGE) from None
    except FileGone:
        raise PictureRefused(FailureReason.PHOTO_GONE) from None
    await turn.parts.confined.prepare_photo(data)
