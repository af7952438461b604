"""Messages to people, one attempt per call. Every call returns a value or raises a TelegramError.

On bare HTTP: the library the bot is written with builds every type of the Bot API when it is imported, and
that would more than double the memory of a worker, which needs four of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, TypeVar

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidURL,
    TCPConnector,
)
from pydantic import BaseModel, SecretStr, ValidationError

from clients.outages import Listener, Nobody
from clients.telegram_forms import Fields, Upload, form_of
from clients.telegram_outcomes import (
    RETRY_AFTER_DEFAULT_SECONDS,
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
    is_away,
    is_not_modified,
    result_or_error,
)
from domain.actions import Button, Card
from domain.hiding import Hider
from telemetry import metrics, tracing, updates
from telemetry.calls import Call, timed

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
    "inline_keyboard",
]

CALL_TIMEOUT_SECONDS: Final = 30.0
CONNECT_TIMEOUT_SECONDS: Final = 10.0
UPLOAD_TIMEOUT_SECONDS: Final = 180.0
DOWNLOAD_BYTES_MAX: Final = 20_000_000  # the Bot API gives out no larger files
_CHUNK_BYTES: Final = 65_536
_FILE: Final = "file"  # a download is no method of the Bot API
_GONE_STATUSES: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_NO_PREVIEW: Final = {"is_disabled": True}

# DNS and TLS failures are kinds of ClientConnectorError; waiting for a free connection is a connect timeout.
_NOTHING_SENT: Final = (ClientConnectorError, ConnectionTimeoutError, InvalidURL)

Rows = Sequence[Sequence[Button]]
Source = str | bytes | Path
ShapeT = TypeVar("ShapeT", bound=BaseModel)


class _File(BaseModel):
    file_id: str = ""
    file_unique_id: str = ""
    file_size: int | None = None
    file_path: str | None = None


class _Message(BaseModel):
    """The part of a Message that we look at."""

    message_id: int
    photo: list[_File] = []
    video: _File | None = None
    animation: _File | None = None


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
        self,
        bot_token: SecretStr,
        api_base: str,
        upload_timeout_seconds: float = UPLOAD_TIMEOUT_SECONDS,
        listener: Listener | None = None,
    ) -> None:
        self._token = bot_token
        token = bot_token.get_secret_value()
        self._hider = Hider([token, token.partition(":")[2]])
        self._base = api_base.rstrip("/")
        self._upload_timeout_seconds = upload_timeout_seconds
        self._listener = listener or Nobody()
        self._opened: ClientSession | None = None

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()

    async def send_text(
        self, chat_id: int, card: Card, *, silent: bool = False, reply_to: int | None = None
    ) -> SentMessage:
        fields = {"text": card.text, "link_preview_options": _NO_PREVIEW}
        return _sent(await self._call("sendMessage", _message(chat_id, card, silent, reply_to) | fields))

    async def send_photo(
        self,
        chat_id: int,
        photo: str | bytes,
        card: Card,
        *,
        silent: bool = False,
        reply_to: int | None = None,
    ) -> SentMessage:
        fields = _message(chat_id, card, silent, reply_to) | {"caption": card.text}
        return _sent(await self._upload("sendPhoto", fields, "photo", photo, "photo.jpg"))

    async def send_video(
        self,
        chat_id: int,
        video: Source,
        width: int,
        height: int,
        seconds: float,
        card: Card,
        *,
        silent: bool = False,
        reply_to: int | None = None,
    ) -> SentMessage:
        fields = _message(chat_id, card, silent, reply_to) | {"caption": card.text}
        facts = _video_facts(width, height, seconds)
        return _sent(await self._upload("sendVideo", fields | facts, "video", video, "video.mp4"))

    async def edit_to_video(
        self,
        chat_id: int,
        message_id: int,
        video: Source,
        width: int,
        height: int,
        seconds: float,
        card: Card,
    ) -> SentMessage:
        held = video if isinstance(video, str) else ""
        media = {
            "type": "video",
            "media": held or "attach://video",
            "caption": card.text,
            "parse_mode": "HTML",
            **_video_facts(width, height, seconds),
        }
        upload = None if isinstance(video, str) else Upload("video", "video.mp4", video)
        fields = {"media": media}
        return await self._edit("editMessageMedia", chat_id, message_id, card.rows, fields, upload, held)

    async def edit_caption(self, chat_id: int, message_id: int, card: Card) -> SentMessage:
        fields = {"caption": card.text, "parse_mode": "HTML"}
        return await self._edit("editMessageCaption", chat_id, message_id, card.rows, fields)

    async def edit_text(self, chat_id: int, message_id: int, card: Card) -> SentMessage:
        fields = {"text": card.text, "parse_mode": "HTML", "link_preview_options": _NO_PREVIEW}
        return await self._edit("editMessageText", chat_id, message_id, card.rows, fields)

    async def edit_buttons(self, chat_id: int, message_id: int, rows: Rows) -> SentMessage:
        """With a fresh nonce in one button this returns what the message holds."""
        return await self._edit("editMessageReplyMarkup", chat_id, message_id, rows, {})

    async def download(self, file_id: str, bytes_max: int = DOWNLOAD_BYTES_MAX) -> bytes:
        """Raise FileGone where Telegram does not give the file out, FileTooLarge beyond `bytes_max`."""
        try:
            file = _read(_File, await self._call("getFile", {"file_id": file_id}))
        except TelegramRefused as refused:
            raise file_refusal(refused) from None
        if file.file_path is None or (file.file_size or 0) > bytes_max:
            raise FileTooLarge(0, f"{file.file_size} bytes")
        if not _is_plain(file.file_path):
            raise FileGone(0, "the file's path leads elsewhere")
        content = await self._fetched(file.file_path, bytes_max)
        await self._listener.heard(answered=not is_away(content))
        if isinstance(content, TelegramError):
            raise content
        return content

    async def call(self, method: str, fields: Fields) -> Any:
        """A method of the Bot API that has no name here."""
        return await self._call(method, fields)

    async def _upload(self, method: str, fields: Fields, name: str, source: Source, file_name: str) -> Any:
        """A string is a file_id, and goes as a field."""
        seconds = self._upload_timeout_seconds
        if isinstance(source, str):
            return await self._call(method, fields | {name: source}, timeout_seconds=seconds)
        return await self._call(method, fields, Upload(name, file_name, source), seconds)

    async def _edit(
        self,
        method: str,
        chat_id: int,
        message_id: int,
        rows: Rows,
        fields: Fields,
        upload: Upload | None = None,
        unmodified_file_id: str = "",
    ) -> SentMessage:
        target = {"chat_id": chat_id, "message_id": message_id, "reply_markup": inline_keyboard(rows)}
        seconds = self._upload_timeout_seconds if "media" in fields else CALL_TIMEOUT_SECONDS
        try:
            answer = await self._call(method, target | fields, upload, seconds)
        except TelegramRefused as refused:
            if not is_not_modified(refused):
                raise
            return SentMessage(message_id, video_file_id=unmodified_file_id, modified=False)
        return SentMessage(message_id) if answer is True else _sent(answer)

    async def _call(
        self,
        method: str,
        fields: Fields,
        upload: Upload | None = None,
        timeout_seconds: float = CALL_TIMEOUT_SECONDS,
    ) -> Any:
        """Raise here, where nothing of the library's error is attached: its request knows the address."""
        with tracing.span(f"Telegram {method}"):
            outcome = await self._outcome(method, fields, upload, timeout_seconds)
            tracing.mark(outcome=type(outcome).__name__ if isinstance(outcome, TelegramError) else "ok")
        await self._listener.heard(answered=not is_away(outcome))
        if isinstance(outcome, TelegramError):
            raise outcome
        return outcome

    async def _outcome(
        self, method: str, fields: Fields, upload: Upload | None, timeout_seconds: float
    ) -> Any:
        with timed(metrics.TELEGRAM_REQUESTS, method=method) as measured:
            try:
                status, text = await self._exchange(method, fields, upload, timeout_seconds)
            except _NOTHING_SENT as error:
                measured.not_connected()
                return TelegramNotSent(type(error).__name__)
            except (ClientError, TimeoutError, OSError) as error:
                measured.broke_off(error)
                return TelegramUnknown(type(error).__name__)
            measured.answered(status)
        if status == HTTPStatus.OK:
            updates.seen(method)
        # An error's description may repeat the address.
        return result_or_error(status, self._hider.hide(text, "…"))

    async def _exchange(
        self, method: str, fields: Fields, upload: Upload | None, timeout_seconds: float
    ) -> tuple[int, str]:
        address = f"{self._base}/bot{self._token.get_secret_value()}/{method}"
        limits = _timeouts(timeout_seconds)
        async with form_of(fields, upload) as form:
            sending = self._session().post(address, data=form, timeout=limits, allow_redirects=False)
            async with sending as answer:
                return answer.status, await answer.text(errors="replace")

    async def _fetched(self, file_path: str, bytes_max: int) -> bytes | TelegramError:
        with timed(metrics.TELEGRAM_REQUESTS, method=_FILE) as measured:
            try:
                return await self._received(file_path, bytes_max, measured)
            except _NOTHING_SENT as error:
                measured.not_connected()
                return TelegramNotSent(type(error).__name__)
            except (ClientError, TimeoutError) as error:
                measured.broke_off(error)
                return TelegramUnknown(type(error).__name__)

    async def _received(self, file_path: str, bytes_max: int, measured: Call) -> bytes | TelegramError:
        content = bytearray()
        address = f"{self._base}/file/bot{self._token.get_secret_value()}/{file_path}"
        limits = _timeouts(self._upload_timeout_seconds)
        async with self._session().get(address, timeout=limits, allow_redirects=False) as answer:
            measured.answered(answer.status)
            if answer.status != HTTPStatus.OK:
                return _file_status(answer.status)
            async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                content += chunk
                if len(content) > bytes_max:
                    return FileTooLarge(0, f"more than {bytes_max} bytes")
        return bytes(content)

    def _session(self) -> ClientSession:
        """No connection is kept: one that the other side has just closed would look like a lost answer."""
        if self._opened is None:
            self._opened = ClientSession(connector=TCPConnector(force_close=True))
        return self._opened


def inline_keyboard(rows: Rows) -> dict[str, Any] | None:
    """None without rows: Telegram then shows no buttons, and an edit takes them away."""
    if not rows:
        return None
    return {
        "inline_keyboard": [
            [{"text": button.label, "callback_data": button.callback_data} for button in row] for row in rows
        ]
    }


def _message(chat_id: int, card: Card, silent: bool, reply_to: int | None) -> Fields:  # noqa: FBT001 - a field
    """A reply whose target was deleted meanwhile still goes out."""
    reply = {"message_id": reply_to, "allow_sending_without_reply": True}
    return {
        "chat_id": chat_id,
        "parse_mode": "HTML",
        "reply_markup": inline_keyboard(card.rows),
        "disable_notification": silent or None,
        "reply_parameters": None if reply_to is None else reply,
    }


def _video_facts(width: int, height: int, seconds: float) -> Fields:
    return {"width": width, "height": height, "duration": round(seconds), "supports_streaming": True}


def _timeouts(total_seconds: float) -> ClientTimeout:
    """A connect timeout below the total one: only then is "nothing was sent" told apart from "unknown"."""
    return ClientTimeout(total=total_seconds, connect=min(CONNECT_TIMEOUT_SECONDS, total_seconds / 2))


def _sent(answer: Any) -> SentMessage:
    message = _read(_Message, answer)
    photo = message.photo[-1] if message.photo else _File()
    video = message.video or message.animation or _File()  # a mute MP4 is shown as an animation
    return SentMessage(message.message_id, photo.file_id, photo.file_unique_id, video.file_id)


def _read(shape: type[ShapeT], answer: Any) -> ShapeT:
    """An answer of another shape was an answer all the same: what it did is unknown."""
    try:
        return shape.model_validate(answer)
    except ValidationError:
        pass
    raise TelegramUnknown(f"no {shape.__name__.strip('_')} in the answer")


def _is_plain(file_path: str) -> bool:
    """It is put into an address that holds the token: nothing in it may end the path, or climb out of it."""
    steps = file_path.split("/")
    return file_path.isprintable() and not set(file_path) & set("?#%\\") and not {"", ".", ".."} & set(steps)


def _file_status(status: int) -> TelegramError:
    """Only these say that the file will not come back; whatever else is said is trouble of the moment."""
    if status in _GONE_STATUSES:
        return FileGone(status, "the file is not there")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TelegramRateLimited(RETRY_AFTER_DEFAULT_SECONDS)
    return TelegramUnknown(f"HTTP {status}")
