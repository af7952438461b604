"""What a call to Telegram can end in, and aiogram's errors in these words.

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
from typing import Final

from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from clients.telegram_session import CallFailed


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


_CODES: Final[dict[type[TelegramAPIError], int]] = {
    TelegramBadRequest: 400,
    TelegramMigrateToChat: 400,
    TelegramUnauthorizedError: 401,
    TelegramForbiddenError: 403,
    TelegramNotFound: 404,
    TelegramConflictError: 409,
    TelegramEntityTooLarge: 413,
}
_RETRY_AFTER_DEFAULT_SECONDS: Final = 5.0

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


def outcome_of(error: AiogramError) -> TelegramError:
    """The cause is left behind on purpose: it may lead to an address with the token."""
    if isinstance(error, TelegramRetryAfter):
        return TelegramRateLimited(float(error.retry_after))
    if isinstance(error, CallFailed) and not error.sent:
        return TelegramNotSent(error.message)
    if isinstance(error, TelegramAPIError) and _is_refusal(error):
        return _refusal(_CODES.get(type(error), 0), error.message)
    return TelegramUnknown(error.message if isinstance(error, TelegramAPIError) else type(error).__name__)


def _is_refusal(error: TelegramAPIError) -> bool:
    """Not 5xx: a restarting Bot API server and its gateway say so of calls they may have carried out."""
    if isinstance(error, TelegramEntityTooLarge):
        return True
    return not isinstance(error, TelegramNetworkError | TelegramServerError)


def _refusal(code: int, description: str) -> TelegramError:
    if code == _CODES[TelegramForbiddenError] or _UNREACHABLE_PERSON.search(description):
        return TelegramBlocked(description)
    if description.startswith("Too Many Requests"):
        return TelegramRateLimited(_RETRY_AFTER_DEFAULT_SECONDS)
    if _MESSAGE_GONE.search(description):
        return MessageGone(code, description)
    return TelegramRefused(code, description)


def is_not_modified(error: TelegramError) -> bool:
    """An edit that changes nothing is refused, though the message is as we want it."""
    return isinstance(error, TelegramRefused) and _NOT_MODIFIED in error.description


def file_refusal(refused: TelegramRefused) -> FileGone:
    kind = FileTooLarge if _FILE_TOO_LARGE.search(refused.description) else FileGone
    return kind(refused.code, refused.description)
