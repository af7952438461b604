"""aiogram's bot with errors that never show the bot token, and that tell what was sent.

aiohttp writes the address of a call into several of its messages, and our addresses hold the token.
Errors are therefore rebuilt and raised outside the `except`, so that neither text, cause, context nor
traceback leads back to the address.
"""

from typing import Any, Final, cast

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
from aiohttp import ClientConnectorError, ClientTimeout, ConnectionTimeoutError, InvalidURL
from pydantic import SecretStr

CALL_TIMEOUT_SECONDS: Final = 30.0
CONNECT_TIMEOUT_SECONDS: Final = 10.0
_SERVER_ERROR: Final = 500

# DNS and TLS failures are kinds of ClientConnectorError; waiting for a free connection is a connect timeout.
NOTHING_SENT_ERRORS: Final = (ClientConnectorError, ConnectionTimeoutError, InvalidURL)


class CallFailed(TelegramNetworkError):
    """No answer of the Bot API. `sent` False: no byte of the call left this machine."""

    def __init__(self, method: TelegramMethod[Any], message: str, *, sent: bool) -> None:
        super().__init__(method=method, message=message)
        self.sent = sent


def timeouts(total_seconds: float) -> ClientTimeout:
    """A connect timeout below the total one: only then is "nothing was sent" told apart from "unknown"."""
    return ClientTimeout(total=total_seconds, connect=min(CONNECT_TIMEOUT_SECONDS, total_seconds / 2))


class TelegramSession(AiohttpSession):
    """One attempt per call, over aiohttp."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: float | None = None,  # noqa: ASYNC109 - aiogram's signature
    ) -> TelegramType:
        limits = timeouts(self.timeout if timeout is None else timeout)
        try:
            # aiogram hands the timeout to aiohttp untouched, and aiohttp takes a ClientTimeout there.
            return await super().make_request(bot, method, cast("int", limits))
        except AiogramError as error:
            failed = _without_address(error)
        raise failed

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """A page that is no Bot API answer may repeat the address, so its text is dropped."""
        if status_code >= _SERVER_ERROR:
            raise TelegramServerError(method=method, message=f"HTTP {status_code}")
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError:
            pass
        raise CallFailed(method, f"HTTP {status_code} without a Bot API answer", sent=True)


def _without_address(error: AiogramError) -> AiogramError:
    """Frames of aiogram keep the address in their variables, and some loggers print those."""
    if not isinstance(error, TelegramNetworkError) or error.__cause__ is None:
        return error.with_traceback(None)
    sent = not isinstance(error.__cause__, NOTHING_SENT_ERRORS)
    return CallFailed(error.method, type(error.__cause__).__name__, sent=sent)


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
