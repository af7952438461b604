"""Messages that must not be doubled: SENDING is committed first, and SENDING found again is left alone."""

from collections.abc import Awaitable
from datetime import timedelta

import structlog

from activities.failing import for_now, unreachable
from clients.telegram import (
    SentMessage,
    TelegramBlocked,
    TelegramClient,
    TelegramNotSent,
    TelegramRateLimited,
    TelegramRefused,
    TelegramUnknown,
)
from domain.actions import Card
from domain.failures import Failure, FailureClass
from domain.orders import MessageState
from store.messages import MessageKey, Messages

_log = structlog.get_logger(__name__)


class SendsOnce:
    def __init__(self, telegram: TelegramClient, messages: Messages) -> None:
        self._telegram = telegram
        self._messages = messages

    async def send_text(
        self,
        key: MessageKey,
        chat_id: int | None,
        card: Card,
        *,
        silent: bool = False,
        reply_to: int | None = None,
    ) -> None:
        if chat_id is not None and await self._begin(key, chat_id):
            await self._finish(key, self._telegram.send_text(chat_id, card, silent=silent, reply_to=reply_to))

    async def send_photo(self, key: MessageKey, chat_id: int, photo: str | bytes, card: Card) -> None:
        if await self._begin(key, chat_id):
            await self._finish(key, self._telegram.send_photo(chat_id, photo, card, silent=True))

    async def _begin(self, key: MessageKey, chat_id: int) -> bool:
        """Only what Telegram surely did not take is sent again."""
        return await self._messages.begin(key, chat_id) or await self._messages.claim_refused(key)

    async def _finish(self, key: MessageKey, call: Awaitable[SentMessage]) -> None:
        """An outage and a full queue are tried again by Temporal; everything else ends here."""
        try:
            sent = await call
        except TelegramNotSent:
            await self._messages.finish(key, MessageState.REFUSED)
            raise unreachable("Telegram") from None
        except TelegramRateLimited as limited:
            await self._messages.finish(key, MessageState.REFUSED)
            pause = timedelta(seconds=limited.retry_after_seconds)
            raise for_now(Failure(FailureClass.RATE_LIMIT, code="Telegram 429"), pause) from None
        except TelegramUnknown:
            await self._messages.finish(key, MessageState.UNKNOWN)
        except (TelegramBlocked, TelegramRefused) as refused:
            await self._messages.finish(key, MessageState.REFUSED)
            _log.info("message refused", purpose=key.purpose.value, order_id=key.order_id, why=str(refused))
        else:
            await self._messages.finish(key, MessageState.SENT, sent.message_id)
