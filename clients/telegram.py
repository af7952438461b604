"""Messages to people, one attempt per call. Every call returns a value or raises a TelegramError."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from aiogram.exceptions import AiogramError
from aiogram.methods import (
    EditMessageCaption,
    EditMessageMedia,
    EditMessageReplyMarkup,
    EditMessageText,
    GetFile,
    SendMessage,
    SendPhoto,
    SendVideo,
    TelegramMethod,
)
from aiogram.types import (
    BufferedInputFile,
    FSInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaVideo,
    Message,
    ReplyParameters,
)
from aiohttp import ClientError, ClientResponseError
from pydantic import SecretStr

from clients.telegram_outcomes import (
    FileGone,
    FileTooLarge,
    MessageGone,
    TelegramBlocked,
    TelegramError,
    TelegramNotSent,
    TelegramRateLimited,
    TelegramRefused,
    TelegramUnknown,
    file_refusal,
    is_not_modified,
    outcome_of,
)
from clients.telegram_session import (
    CALL_TIMEOUT_SECONDS,
    NOTHING_SENT_ERRORS,
    TelegramSession,
    aiogram_bot,
    timeouts,
)
from domain.actions import Button, Card

__all__ = [
    "FileGone",
    "FileTooLarge",
    "MessageGone",
    "SentMessage",
    "TelegramBlocked",
    "TelegramClient",
    "TelegramError",
    "TelegramNotSent",
    "TelegramRateLimited",
    "TelegramRefused",
    "TelegramUnknown",
    "aiogram_bot",
    "inline_keyboard",
]

UPLOAD_TIMEOUT_SECONDS: Final = 180.0
DOWNLOAD_BYTES_MAX: Final = 20_000_000  # the Bot API gives out no larger files
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500

ResultT = TypeVar("ResultT")
Rows = Sequence[Sequence[Button]]


@dataclass(frozen=True, slots=True)
class SentMessage:
    """The message as Telegram shows it now.

    `modified` False: it already looked like this, and Telegram did not say what it holds.
    """

    message_id: int
    photo_file_id: str = ""
    photo_unique_id: str = ""
    video_file_id: str = ""
    modified: bool = True

    @property
    def holds_video(self) -> bool:
        return bool(self.video_file_id)


class TelegramClient:
    """`upload_timeout_seconds` holds for calls that may carry a file."""

    def __init__(
        self, bot_token: SecretStr, api_base: str, upload_timeout_seconds: float = UPLOAD_TIMEOUT_SECONDS
    ) -> None:
        self._bot = aiogram_bot(bot_token, api_base)
        self._upload_timeout_seconds = upload_timeout_seconds

    async def close(self) -> None:
        await self._bot.session.close()

    async def send_text(
        self, chat_id: int, card: Card, *, silent: bool = False, reply_to: int | None = None
    ) -> SentMessage:
        call = SendMessage(
            chat_id=chat_id,
            text=card.text,
            reply_markup=inline_keyboard(card.rows),
            disable_notification=silent,
            reply_parameters=_reply(reply_to),
        )
        return _sent(await self._call(call))

    async def send_photo(
        self,
        chat_id: int,
        photo: str | bytes,
        card: Card,
        *,
        silent: bool = False,
        reply_to: int | None = None,
    ) -> SentMessage:
        call = SendPhoto(
            chat_id=chat_id,
            photo=_file(photo, "photo.jpg"),
            caption=card.text,
            reply_markup=inline_keyboard(card.rows),
            disable_notification=silent,
            reply_parameters=_reply(reply_to),
        )
        return _sent(await self._call(call, self._upload_timeout_seconds))

    async def send_video(
        self,
        chat_id: int,
        video: str | bytes | Path,
        width: int,
        height: int,
        seconds: float,
        card: Card,
        *,
        silent: bool = False,
        reply_to: int | None = None,
    ) -> SentMessage:
        call = SendVideo(
            chat_id=chat_id,
            video=_file(video, "video.mp4"),
            width=width,
            height=height,
            duration=round(seconds),
            supports_streaming=True,
            caption=card.text,
            reply_markup=inline_keyboard(card.rows),
            disable_notification=silent,
            reply_parameters=_reply(reply_to),
        )
        return _sent(await self._call(call, self._upload_timeout_seconds))

    async def edit_to_video(
        self,
        chat_id: int,
        message_id: int,
        video: str | bytes | Path,
        width: int,
        height: int,
        seconds: float,
        card: Card,
    ) -> SentMessage:
        media = InputMediaVideo(
            media=_file(video, "video.mp4"),
            width=width,
            height=height,
            duration=round(seconds),
            supports_streaming=True,
            caption=card.text,
        )
        call = EditMessageMedia(
            chat_id=chat_id, message_id=message_id, media=media, reply_markup=inline_keyboard(card.rows)
        )
        held = video if isinstance(video, str) else ""
        return await self._edit(call, message_id, self._upload_timeout_seconds, unmodified_file_id=held)

    async def edit_caption(self, chat_id: int, message_id: int, card: Card) -> SentMessage:
        call = EditMessageCaption(
            chat_id=chat_id,
            message_id=message_id,
            caption=card.text,
            reply_markup=inline_keyboard(card.rows),
        )
        return await self._edit(call, message_id)

    async def edit_text(self, chat_id: int, message_id: int, card: Card) -> SentMessage:
        call = EditMessageText(
            chat_id=chat_id,
            message_id=message_id,
            text=card.text,
            reply_markup=inline_keyboard(card.rows),
        )
        return await self._edit(call, message_id)

    async def edit_buttons(self, chat_id: int, message_id: int, rows: Rows) -> SentMessage:
        """With a fresh nonce in one button this returns what the message holds."""
        call = EditMessageReplyMarkup(
            chat_id=chat_id, message_id=message_id, reply_markup=inline_keyboard(rows)
        )
        return await self._edit(call, message_id)

    async def download(self, file_id: str, bytes_max: int = DOWNLOAD_BYTES_MAX) -> bytes:
        """Raise FileGone where Telegram does not give the file out, FileTooLarge beyond `bytes_max`."""
        try:
            file = await self._call(GetFile(file_id=file_id))
        except TelegramRefused as refused:
            raise file_refusal(refused) from None
        if file.file_path is None or (file.file_size or 0) > bytes_max:
            raise FileTooLarge(0, f"{file.file_size} bytes")
        return await self._fetch(file.file_path, bytes_max)

    async def _fetch(self, file_path: str, bytes_max: int) -> bytes:
        content = bytearray()
        try:
            async with aclosing(self._stream(file_path)) as chunks:
                async for chunk in chunks:
                    content += chunk
                    if len(content) > bytes_max:
                        raise FileTooLarge(0, f"more than {bytes_max} bytes")
        except (ClientError, TimeoutError) as error:
            failed = _fetch_failure(error)
        else:
            return bytes(content)
        raise failed

    def _stream(self, file_path: str) -> Any:
        session = cast("TelegramSession", self._bot.session)
        url = session.api.file_url(self._bot.token, file_path)
        limits = timeouts(self._upload_timeout_seconds)
        # aiogram hands the timeout to aiohttp untouched, and aiohttp takes a ClientTimeout there.
        return session.stream_content(url, timeout=cast("int", limits))

    async def _edit(
        self,
        call: TelegramMethod[Message | bool],
        message_id: int,
        timeout_seconds: float = CALL_TIMEOUT_SECONDS,
        unmodified_file_id: str = "",
    ) -> SentMessage:
        try:
            answer = await self._call(call, timeout_seconds)
        except TelegramRefused as refused:
            if not is_not_modified(refused):
                raise
            return SentMessage(message_id, video_file_id=unmodified_file_id, modified=False)
        return _sent(answer) if isinstance(answer, Message) else SentMessage(message_id)

    async def _call(
        self, call: TelegramMethod[ResultT], timeout_seconds: float = CALL_TIMEOUT_SECONDS
    ) -> ResultT:
        """Raise outside the `except`: nothing of aiogram's error, which knows the address, stays attached."""
        try:
            return await self._bot.session(self._bot, call, timeout=cast("int", timeout_seconds))
        except AiogramError as error:
            outcome = outcome_of(error)
        raise outcome


def inline_keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    """None without rows: Telegram then shows no buttons, and an edit takes them away."""
    if not rows:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[[_keyboard_button(button) for button in row] for row in rows]
    )


def _keyboard_button(button: Button) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=button.label, callback_data=button.callback_data)


def _reply(reply_to: int | None) -> ReplyParameters | None:
    """A reply whose target was deleted meanwhile still goes out."""
    if reply_to is None:
        return None
    return ReplyParameters(message_id=reply_to, allow_sending_without_reply=True)


def _file(source: str | bytes | Path, name: str) -> str | InputFile:
    """A string is a file_id."""
    if isinstance(source, str):
        return source
    if isinstance(source, Path):
        return FSInputFile(source, filename=name)
    return BufferedInputFile(source, filename=name)


def _sent(message: Message) -> SentMessage:
    photo = message.photo[-1] if message.photo else None
    video = message.video or message.animation  # which is how Telegram shows a mute MP4
    return SentMessage(
        message_id=message.message_id,
        photo_file_id=photo.file_id if photo else "",
        photo_unique_id=photo.file_unique_id if photo else "",
        video_file_id=video.file_id if video else "",
    )


def _fetch_failure(error: ClientError | TimeoutError) -> TelegramError:
    """Without the error itself: its text and its request hold the address of the file, and so the token."""
    if isinstance(error, ClientResponseError) and _CLIENT_ERROR <= error.status < _SERVER_ERROR:
        return FileGone(error.status, "the file is not there")
    if isinstance(error, NOTHING_SENT_ERRORS):
        return TelegramNotSent(type(error).__name__)
    return TelegramUnknown(type(error).__name__)
