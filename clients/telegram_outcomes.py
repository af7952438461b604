"""What a call to Telegram can end in, and its answers in these words.

TelegramError
├── TelegramRefused        Telegram answered ok:false; nothing was sent or changed
│   ├── MessageGone        the message to edit is not there, or can no longer be edited
│   └── FileGone           Telegram does not give the file out
│       └── FileTooLarge
├── TelegramBlocked        the same, because this person cannot be reached
├── TelegramRateLimited    the same, to be sent later
├── TelegramNotSent        Telegram was not reached: connect, DNS, TLS
└── TelegramUnknown        the call left, and no answer tells what became of it
"""

import re
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, JsonValue, ValidationError


class TelegramError(Exception):
    """Base of everything a TelegramClient raises. No text of it holds the bot token."""


class TelegramRefused(TelegramError):
    """`code` is 0 where Telegram gave none that we know."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


class MessageGone(TelegramRefused):
    pass


class FileGone(TelegramRefused):
    pass


class FileTooLarge(FileGone):
    pass


class TelegramBlocked(TelegramError):
    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class TelegramRateLimited(TelegramError):
    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"retry after {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class TelegramNotSent(TelegramError):
    pass


class TelegramUnknown(TelegramError):
    pass


class _Parameters(BaseModel):
    retry_after: float | None = None


class _Answer(BaseModel):
    """The Bot API's envelope."""

    ok: bool
    result: JsonValue = None
    error_code: int = 0
    description: str = ""
    parameters: _Parameters | None = None


RETRY_AFTER_DEFAULT_SECONDS: Final = 5.0

_NOT_MODIFIED: Final = "message is not modified"
_UNREACHABLE_PERSON: Final = re.compile(
    r"blocked by the user|user is deactivated|can't initiate conversation|chat not found|PEER_ID_INVALID",
    re.IGNORECASE,
)
_MESSAGE_GONE: Final = re.compile(
    r"message to edit not found|message can't be edited|there is no \w+ in the message to edit"
    r"|MESSAGE_ID_INVALID",
    re.IGNORECASE,
)
_FILE_TOO_LARGE: Final = re.compile(r"file is too big", re.IGNORECASE)


def result_or_error(status: int, text: str) -> Any:
    """The result of an answer, or a TelegramError: returned, so that it is raised far from the address.

    Not a refusal: 5xx. A restarting Bot API server and its gateway say so of calls they may have carried
    out. A page that is no Bot API answer may repeat the address, so its text is dropped.
    """
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TelegramUnknown(f"HTTP {status}")
    try:
        answer = _Answer.model_validate_json(text)
    except ValidationError:
        return TelegramUnknown(f"HTTP {status} without a Bot API answer")
    if not answer.ok:
        return _refusal(answer, answer.error_code or status)
    return answer.result if status < HTTPStatus.MULTIPLE_CHOICES else TelegramUnknown(f"HTTP {status}")


def _refusal(answer: _Answer, code: int) -> TelegramError:
    description = answer.description
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TelegramUnknown(f"error {code}")
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        retry_after = answer.parameters.retry_after if answer.parameters else None
        return TelegramRateLimited(retry_after or RETRY_AFTER_DEFAULT_SECONDS)
    if code == HTTPStatus.FORBIDDEN or _UNREACHABLE_PERSON.search(description):
        return TelegramBlocked(description)
    if _MESSAGE_GONE.search(description):
        return MessageGone(code, description)
    return TelegramRefused(code, description)


def is_away(outcome: Any) -> bool:
    """Nothing of the Bot API answered. A refusal, of one chat or for a while, is an answer."""
    return isinstance(outcome, (TelegramNotSent, TelegramUnknown))


def is_not_modified(error: TelegramError) -> bool:
    """An edit that changes nothing is refused, though the message is as we want it."""
    return isinstance(error, TelegramRefused) and _NOT_MODIFIED in error.description


def file_refusal(refused: TelegramRefused) -> FileGone:
    kind = FileTooLarge if _FILE_TOO_LARGE.search(refused.description) else FileGone
    return kind(refused.code, refused.description)
