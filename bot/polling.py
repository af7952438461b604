"""getUpdates, where the offset moves only over what is handled."""

import asyncio
from typing import Any, Final

import structlog
from aiogram.exceptions import AiogramError, TelegramConflictError, TelegramRetryAfter
from aiogram.methods import TelegramMethod
from aiogram.types import Update
from pydantic import ValidationError

from bot.feeder import ALLOWED_UPDATES, Feeder
from bot.parts import BotParts
from bot.webhook import leave_webhook
from clients.telegram import TelegramError
from clients.telegram_session import api_address

_log = structlog.get_logger()

_LONG_POLL_SECONDS: Final = 25
_ANSWER_SECONDS: Final = 15  # on top of the long poll
_SLOW_CHAT_SECONDS: Final = 0.5  # longer than that nobody waits for somebody else's update
_NO_UPDATES_PAUSE_SECONDS: Final = 0.05  # a server that answers at once is not asked without end
_CONFLICT_PAUSE_SECONDS: Final = 3.0
_WEBHOOK_SECONDS: Final = 60.0  # so long somebody else's webhook is left alone
_GOODBYE_SECONDS: Final = 3.0
_OUTAGE_PAUSE_SECONDS: Final = 0.5
_OUTAGE_PAUSE_SECONDS_MAX: Final = 15.0


class RawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """getUpdates without aiogram's all-or-nothing reading of the batch."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


class Poller:
    """One slow chat holds back the offset, but not the others: they are fetched beside it."""

    def __init__(self, parts: BotParts, feeder: Feeder) -> None:
        self._parts = parts
        self._feeder = feeder
        self._handling: dict[int, asyncio.Task[None]] = {}
        self._next_id: int | None = None
        self._webhook_seen_at: float | None = None
        self._outage_pause_seconds = _OUTAGE_PAUSE_SECONDS

    async def run(self) -> None:
        """Until cancelled. A webhook that was set before is removed, so that switching needs nobody."""
        try:
            await self._leave_webhook()
            while True:
                await self.poll()
        finally:
            await self._leave()

    async def poll(self) -> None:
        """One getUpdates, and a moment for what it brought."""
        updates = await self._ask()
        for update in updates:
            self._begin(update)
        if self._handling:
            await asyncio.wait(self._handling.values(), timeout=_SLOW_CHAT_SECONDS)
        elif not updates:
            await asyncio.sleep(_NO_UPDATES_PAUSE_SECONDS)
        self._move_offset()

    async def _ask(self) -> list[Update]:
        wait_seconds = 0 if self._handling else _LONG_POLL_SECONDS
        ask = RawUpdates(offset=self._offset(), timeout=wait_seconds, allowed_updates=list(ALLOWED_UPDATES))
        try:
            raw_updates = await self._parts.bot(ask, request_timeout=wait_seconds + _ANSWER_SECONDS)
        except AiogramError as error:
            await self._wait_after(error)
            return []
        self._outage_pause_seconds, self._webhook_seen_at = _OUTAGE_PAUSE_SECONDS, None
        return [update for raw in raw_updates if (update := self._understood(raw)) is not None]

    def _understood(self, raw: dict[str, Any]) -> Update | None:
        """One update that nobody can read must not hold up those behind it."""
        try:
            return Update.model_validate(raw, context={"bot": self._parts.bot})
        except ValidationError as error:
            update_id = raw.get("update_id")
            _log.error("update not understood", update_id=update_id, problems=error.error_count())
            if isinstance(update_id, int):
                self._next_id = max(self._next_id or 0, update_id + 1)
            return None

    async def _wait_after(self, error: AiogramError) -> None:
        """Another poller (409) ends some day, and so does an outage: wait, never exit."""
        pause_seconds = self._outage_pause_seconds
        if isinstance(error, TelegramConflictError):
            if "webhook" in error.message.lower():
                await self._meet_webhook()
            pause_seconds = _CONFLICT_PAUSE_SECONDS * self._parts.time_scale
        elif isinstance(error, TelegramRetryAfter):
            pause_seconds = error.retry_after
        else:
            self._outage_pause_seconds = min(2 * pause_seconds, _OUTAGE_PAUSE_SECONDS_MAX)
        target = f"Telegram at {api_address(self._parts.bot)}"
        _log.warning("waiting", target=target, error=type(error).__name__, pause_seconds=pause_seconds)
        await asyncio.sleep(pause_seconds)

    async def _meet_webhook(self) -> None:
        """Another bot runs with TELEGRAM_UPDATES=webhook: it is not robbed at once, nor every moment."""
        now = asyncio.get_running_loop().time()
        if self._webhook_seen_at is None:
            _log.warning("another bot has set a webhook: nothing can be polled while it is set")
            self._webhook_seen_at = now
        elif now - self._webhook_seen_at >= _WEBHOOK_SECONDS * self._parts.time_scale:
            await self._leave_webhook()
            self._webhook_seen_at = None

    async def _leave_webhook(self) -> None:
        """Whoever cannot be asked now is polled all the same: while a webhook stands, he says so himself."""
        try:
            await leave_webhook(self._parts)
        except TelegramError as error:
            _log.warning("webhook was not looked for", error=str(error))

    def _offset(self) -> int | None:
        return min(self._handling, default=self._next_id)

    def _begin(self, update: Update) -> None:
        """An update that is being handled comes again while a slow one holds the offset."""
        if update.update_id in self._handling:
            return
        self._next_id = max(self._next_id or 0, update.update_id + 1)
        handled = self._feeder.feed_until_handled(update, _OUTAGE_PAUSE_SECONDS, _OUTAGE_PAUSE_SECONDS_MAX)
        self._handling[update.update_id] = asyncio.create_task(handled)

    def _move_offset(self) -> None:
        for update_id, task in sorted(self._handling.items()):
            if not task.done():
                return
            del self._handling[update_id]
            if not task.cancelled() and task.exception() is not None:
                _log.error("update was given up", update_id=update_id, exc_info=task.exception())

    async def _leave(self) -> None:
        """What is not handled in a moment comes again: it was not acknowledged."""
        if self._handling:
            await asyncio.wait(self._handling.values(), timeout=_GOODBYE_SECONDS)
        for task in self._handling.values():
            task.cancel()
        await asyncio.gather(*self._handling.values(), return_exceptions=True)
