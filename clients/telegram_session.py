"""The bot process's aiogram, with errors that never show the bot token.

No worker imports this: aiogram alone weighs more than all else in a worker.

aiohttp writes the address of a call into several of its messages, and our addresses hold the token.
Errors are therefore rebuilt and raised outside the `except`, so that neither text, cause, context nor
traceback leads back to the address.
"""

from contextvars import ContextVar
from typing import Final, cast

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramNetworkError,
    TelegramServerError,
)
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiohttp import ClientConnectorError, ClientError, ClientTimeout, ConnectionTimeoutError
from pydantic import SecretStr

from telemetry import metrics, updates
from telemetry.calls import Call, timed

CALL_TIMEOUT_SECONDS: Final = 30.0
CONNECT_TIMEOUT_SECONDS: Final = 10.0
_SERVER_ERROR: Final = 500

# aiogram tells the status of an answer only to who reads it.
_measured: ContextVar[Call] = ContextVar("measured")


class CallFailed(TelegramNetworkError):
    """No answer of the Bot API."""


def _timeouts(total_seconds: float) -> ClientTimeout:
    return ClientTimeout(total=total_seconds, connect=min(CONNECT_TIMEOUT_SECONDS, total_seconds / 2))


class TelegramSession(AiohttpSession):
    """One attempt per call, over aiohttp."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: float | None = None,  # noqa: ASYNC109 - aiogram's signature
    ) -> TelegramType:
        limits = _timeouts(self.timeout if timeout is None else timeout)
        name = method.__api_method__
        with timed(metrics.TELEGRAM_REQUESTS, method=name) as call:
            _measured.set(call)
            try:
                # aiogram hands the timeout to aiohttp untouched, and aiohttp takes a ClientTimeout there.
                result = await super().make_request(bot, method, cast("int", limits))
            except AiogramError as error:
                _note_end(call, error.__cause__)
                failed = _without_address(error)
            else:
                updates.seen(name)
                return result
        raise failed

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """A page that is no Bot API answer may repeat the address, so its text is dropped."""
        if (call := _measured.get(None)) is not None:
            call.answered(status_code)
        if status_code >= _SERVER_ERROR:
            raise TelegramServerError(method=method, message=f"HTTP {status_code}")
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError:
            pass
        raise CallFailed(method, f"HTTP {status_code} without a Bot API answer")


def _note_end(call: Call, cause: BaseException | None) -> None:
    """Where there was no answer: why not."""
    if isinstance(cause, ClientConnectorError | ConnectionTimeoutError):
        call.not_connected()
    elif isinstance(cause, ClientError | TimeoutError):
        call.broke_off(cause)


def _without_address(error: AiogramError) -> AiogramError:
    """Frames of aiogram keep the address in their variables, and some loggers print those."""
    if not isinstance(error, TelegramNetworkError) or error.__cause__ is None:
        return error.with_traceback(None)
    return CallFailed(error.method, type(error.__cause__).__name__)


def aiogram_bot(bot_token: SecretStr, api_base: str) -> Bot:
    """The one way to make a bot: HTML texts, no link previews, explicit timeouts."""
    session = TelegramSession(
        api=TelegramAPIServer.from_base(api_base.rstrip("/")), timeout=CALL_TIMEOUT_SECONDS
    )
    defaults = DefaultBotProperties(parse_mode=ParseMode.HTML, link_preview_is_disabled=True)
    return Bot(bot_token.get_secret_value(), session=session, default=defaults)


def api_address(bot: Bot) -> str:
    """For people: where the bot calls, without its token."""
    return bot.session.api.base.partition("/bot{token}")[0]
