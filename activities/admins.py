"""The administrators: a message to each, in the language of each."""

from collections.abc import Awaitable, Callable

import structlog

from clients.telegram import TelegramClient, TelegramError, TelegramNotSent, TelegramRateLimited
from domain.actions import Card
from domain.orders import Language
from store.users import Users

_log = structlog.get_logger(__name__)


class Admins:
    def __init__(self, telegram: TelegramClient, users: Users, ids: tuple[int, ...]) -> None:
        self._telegram = telegram
        self._users = users
        self._ids = ids

    async def tell(self, card: Callable[[Language], Awaitable[Card]], cause: str) -> bool:
        """Whether anybody has it."""
        had = [await self._send(admin, await card(await self._language(admin)), cause) for admin in self._ids]
        return any(had)

    @property
    def places(self) -> range:
        """Who is which, while the setting stays; 1 is the first."""
        return range(1, len(self._ids) + 1)

    async def tell_one(self, place: int, card: Callable[[Language], Card]) -> bool:
        """Whether he has it, as far as anybody knows. Raise TelegramNotSent or TelegramRateLimited."""
        admin = self._ids[place - 1]
        try:
            await self._telegram.send_text(admin, card(await self._language(admin)))
        except (TelegramNotSent, TelegramRateLimited):
            raise
        except TelegramError as error:
            _log.warning("admin not told", error=str(error))
            return False
        return True

    async def _language(self, admin: int) -> Language:
        known = await self._users.find(admin)
        return known.language if known else Language.EN

    async def _send(self, admin: int, card: Card, cause: str) -> bool:
        """One admin who cannot be reached keeps nothing from the others; the log has it in any case."""
        try:
            await self._telegram.send_text(admin, card)
        except TelegramError as error:
            _log.warning("admin not alerted", cause=cause, error=str(error))
            return False
        return True
