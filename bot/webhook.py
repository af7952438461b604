"""Telegram posts updates to us: the address it knows is kept right, and what it posts is handled."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from aiogram.types import Update
from pydantic import ValidationError

from bot.alerting import alert_admins
from bot.feeder import ChatBusy, Feeder
from bot.loops import forever
from bot.parts import BotParts
from clients.telegram import TelegramError
from clients.telegram_session import api_address
from clients.telegram_webhooks import Webhook, WebhookInfo, delete_webhook, set_webhook, webhook_info
from store.database import DatabaseUnavailable
from store.limits import Rate

_log = structlog.get_logger()

LOOK_SECONDS: Final = 60.0
PENDING_MAX: Final = 100
_PAUSE_SECONDS: Final = 0.5
_PAUSE_SECONDS_MAX: Final = 15.0


@dataclass(frozen=True, slots=True)
class WebhookKeeper:
    """Sets the webhook where it is not as it should be, and never takes it away: updates wait at Telegram."""

    parts: BotParts
    webhook: Webhook

    async def run(self) -> None:
        """Until cancelled. An outage of Telegram is waited for."""
        await until_done(self.parts, "webhook", self.set_up)
        look_seconds = LOOK_SECONDS * self.parts.time_scale
        await asyncio.sleep(look_seconds)
        await forever("webhook", self.look, look_seconds)

    async def look(self) -> None:
        """By one of all bots: somebody may have taken the webhook away, or updates do not reach us."""
        look_seconds = LOOK_SECONDS * self.parts.time_scale
        if await self.parts.limits.take("webhook look", Rate(1 / look_seconds, burst=1)):
            return
        try:
            info = await webhook_info(self.parts.telegram)
            if not self.webhook.serves(info):
                await self._set(info)
        except TelegramError as error:
            _log.warning("webhook was not looked at", error=str(error))
            return
        await self._alert(info, timedelta(seconds=2 * look_seconds))

    async def set_up(self) -> None:
        """Only where it differs."""
        info = await webhook_info(self.parts.telegram)
        if not self.webhook.is_set(info):
            await self._set(info)

    async def _set(self, info: WebhookInfo) -> None:
        await set_webhook(self.parts.telegram, self.webhook)
        _log.info("webhook set", url=self.webhook.url, instead_of=info.url)

    async def _alert(self, info: WebhookInfo, recently: timedelta) -> None:
        failed_at = info.last_error_date
        if failed_at is not None and self.parts.clock() - failed_at <= recently:
            error = info.last_error_message
            await alert_admins(self.parts, "webhook error", "alert-webhook-error", error=error)
        if info.pending_update_count > PENDING_MAX:
            count = info.pending_update_count
            await alert_admins(self.parts, "webhook pending", "alert-webhook-pending", count=count)


@dataclass(frozen=True, slots=True)
class Inbox:
    """What Telegram posts."""

    parts: BotParts
    feeder: Feeder

    async def receive(self, body: bytes) -> bool:
        """False: it is to be posted again. What nobody can read is not: it would come back as it is."""
        try:
            update = Update.model_validate_json(body, context={"bot": self.parts.bot})
        except ValidationError as error:
            _log.error("update not understood", problems=error.error_count(), body_bytes=len(body))
            return True
        try:
            await self.feeder.feed(update)
        except (ChatBusy, DatabaseUnavailable) as error:
            _log.warning("update is put off", update_id=update.update_id, error=type(error).__name__)
            return False
        return True


async def leave_webhook(parts: BotParts) -> None:
    """While one is set nothing can be polled. Raise TelegramError."""
    info = await webhook_info(parts.telegram)
    if info.url:
        await delete_webhook(parts.telegram)
        _log.warning("webhook removed, since TELEGRAM_UPDATES is polling", url=info.url)


async def until_done(parts: BotParts, what: str, step: Callable[[], Awaitable[object]]) -> None:
    """Again and again until Telegram does it."""
    pause_seconds = _PAUSE_SECONDS
    while True:
        try:
            await step()
        except TelegramError as error:
            target = f"Telegram at {api_address(parts.bot)} ({what})"
            _log.warning("waiting", target=target, error=str(error), pause_seconds=pause_seconds)
        else:
            return
        await asyncio.sleep(pause_seconds)
        pause_seconds = min(2 * pause_seconds, _PAUSE_SECONDS_MAX)
