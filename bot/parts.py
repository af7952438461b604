"""What the bot is built from. The mains make these; nothing here is global."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog
from aiogram import Bot

from bot.recent import Recent
from clients.confined import Confined
from clients.fingerprints import Fingerprints
from clients.telegram import TelegramClient
from domain.clock import Clock
from domain.payments import PaymentProvider
from domain.shop import ShopRules
from store.accounts import Accounts
from store.admission import Admission
from store.albums import Albums
from store.alerts import Alerts
from store.audit import AuditLog
from store.chores import Chores
from store.conversations import Conversations
from store.drafts import Drafts
from store.forget import Forgetting
from store.ledger import Ledger
from store.library import Library
from store.limits import RateLimits
from store.orders import Orders
from store.payments import Payments
from store.restores import Restores
from store.shown_files import ShownFiles
from store.statistics import Statistics
from store.switches import Switches
from store.updates import HandledUpdates
from store.users import Users
from store.videos import Videos
from store.waiting_drafts import WaitingDrafts

_log = structlog.get_logger()


class StartsWorkflows(Protocol):
    """All raise `workflows.start.TemporalUnavailable`."""

    async def start_order(self, order_id: str) -> None: ...
    async def resend(self, video_id: str) -> None: ...
    async def videos_cancelled(self, order_id: str, video_ids: Sequence[str]) -> None: ...


_TURNS: Final = 4
_TURN_SECONDS: Final = 0.2


class Background:
    """Work that nobody waits for; what must not be lost is repeated by a sweep."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(_TURNS)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def run_in_turn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """At most twenty a second: when many come at once, those who wait for an answer go first."""
        self.run(self._in_turn(work))

    async def _in_turn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async with self._turns:
            await asyncio.gather(work(), asyncio.sleep(_TURN_SECONDS))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.warning("background work failed", exc_info=task.exception())

    async def finish(self, timeout_seconds: float) -> None:
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=timeout_seconds)
            for task in late:
                task.cancel()


@dataclass(frozen=True, slots=True)
class BotParts:
    """`offers_templates` is False without an OpenAI key: then only the own prompt is left."""

    bot: Bot
    telegram: TelegramClient
    users: Users
    ledger: Ledger
    drafts: Drafts
    orders: Orders
    videos: Videos
    conversations: Conversations
    updates: HandledUpdates
    albums: Albums
    admission: Admission
    accounts: Accounts
    alerts: Alerts
    payments: Payments
    chores: Chores
    restores: Restores
    limits: RateLimits
    switches: Switches
    audit: AuditLog
    statistics: Statistics
    waiting_drafts: WaitingDrafts
    library: Library
    shown_files: ShownFiles
    forgetting: Forgetting
    fingerprints: Fingerprints
    starter: StartsWorkflows
    provider: PaymentProvider
    clock: Clock
    support_contact: str
    shop: ShopRules = field(default_factory=ShopRules)
    offers_templates: bool = True
    price_credits: int = 1
    time_scale: float = 1.0
    background: Background = field(default_factory=Background)
    recent: Recent = field(default_factory=Recent)
    confined: Confined = field(default_factory=Confined)
