"""A picture somebody sent: read from the message, checked, and put where the dialog wants it."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from aiogram.types import Message

from bot.screens import ask, download, drop_draft, hint, offer, open_draft
from bot.states import Step
from bot.turn import Turn
from clients.pictures import (
    PHOTO_BYTES_MAX,
    PHOTO_PIXELS_MAX,
    PHOTO_SIDE_PIXELS_MIN,
    PictureRefused,
    prepare_photo,
)
from clients.telegram import FileGone, FileTooLarge
from domain.failures import FailureReason
from domain.orders import Photo
from store.drafts import DraftOffer
from texts import cards


class PictureKind(StrEnum):
    PHOTO = "photo"
    DOCUMENT = "document"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Picture:
    """What Telegram says of it. A document's real size shows only when it is opened."""

    kind: PictureKind
    file_id: str = ""
    unique_id: str = ""
    width: int = 0
    height: int = 0
    size_bytes: int = 0

    @classmethod
    def of(cls, message: Message) -> Self:
        if message.photo:
            largest = max(message.photo, key=lambda size: size.width * size.height)
            return cls(
                PictureKind.PHOTO,
                largest.file_id,
                largest.file_unique_id,
                largest.width,
                largest.height,
                largest.file_size or 0,
            )
        document = message.document
        if document is None or not _looks_like_picture(document.mime_type, document.file_name):
            return cls(PictureKind.OTHER)
        size_bytes = document.file_size or 0
        return cls(PictureKind.DOCUMENT, document.file_id, document.file_unique_id, size_bytes=size_bytes)

    @classmethod
    def first_of(cls, collected: Sequence[dict[str, Any]]) -> Self:
        """An album counts as its first photo."""
        read = [cls(**{**each, "kind": PictureKind(each["kind"])}) for each in collected]
        return next((each for each in read if each.kind is not PictureKind.OTHER), read[0])

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _looks_like_picture(mime_type: str | None, name: str | None) -> bool:
    if (mime_type or "").startswith("image/"):
        return True
    return (name or "").lower().endswith((".jpg", ".jpeg", ".png", ".webp"))


async def receive(turn: Turn, picture: Picture) -> None:
    """A photo starts a draft, answers the question for one, or asks what it is for."""
    if picture.kind is PictureKind.OTHER:
        await hint(turn, "unsupported-document")
        return
    try:
        photo = await _checked(turn, picture)
    except PictureRefused as refused:
        await turn.say(cards.photo_refused(turn.language, refused.reason))
        return
    await open_draft(turn)  # leaves the confirm step of a draft that was bought meanwhile
    if turn.dialog.step in (None, Step.photo):
        await use(turn, photo)
        return
    await turn.dialog.keep({"pending_photo": photo})
    await turn.say(cards.replace_or_new(turn.language))


async def _checked(turn: Turn, picture: Picture) -> Photo:
    """Raise PictureRefused with what a person can act on."""
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
    await asyncio.to_thread(prepare_photo, data)


async def use(turn: Turn, photo: Photo) -> None:
    """Where the brief was kept the order is complete; else the questions begin."""
    data = turn.dialog.data
    if data.brief is not None and data.video_count:
        await offer(turn, _offer_with(turn, photo))
        return
    await turn.dialog.restart(Step.template, data.fresh().model_copy(update={"photo": photo}))
    await ask(turn)


async def replace(turn: Turn, photo: Photo) -> None:
    """The open draft goes on with another photo."""
    if turn.dialog.step is not Step.confirm:
        await turn.dialog.keep({"photo": photo, "pending_photo": None})
        await ask(turn)
        return
    await drop_draft(turn)
    await offer(turn, _offer_with(turn, photo))


async def begin_anew(turn: Turn, photo: Photo) -> None:
    await drop_draft(turn)
    await turn.dialog.restart(Step.template, turn.dialog.data.fresh().model_copy(update={"photo": photo}))
    await ask(turn)


def _offer_with(turn: Turn, photo: Photo) -> DraftOffer:
    data = turn.dialog.data
    if data.brief is None:
        raise ValueError("an offer needs a brief")
    return DraftOffer(data.brief, photo, data.video_count, turn.parts.price_credits, turn.language)
