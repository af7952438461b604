"""Looks whether a service is back where nobody calls it: an outage of the night would last until morning."""

import structlog

from clients.telegram import TelegramClient, TelegramError
from store.services import Outside, Services

_log = structlog.get_logger(__name__)


class TelegramProbe:
    """Once a minute, of all workers together. What comes of it the client's listener hears."""

    def __init__(self, telegram: TelegramClient, services: Services) -> None:
        self._telegram = telegram
        self._services = services

    async def look(self) -> None:
        if not await self._services.take_probe(Outside.TELEGRAM):
            return
        try:
            await self._telegram.call("getMe", {})
        except TelegramError as error:
            _log.info("Telegram was probed", error=type(error).__name__)


class UnusedOpenAi:
    """Without a key nobody asks it any more, and what was marked before would stay so for ever."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def look(self) -> None:
        for service in (Outside.OPENAI, Outside.OPENAI_MODERATION):
            if await self._services.reached(service):
                _log.info("service is no longer used", service=service)
