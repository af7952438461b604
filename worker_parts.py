"""Everything a worker's activities are made of, by hand: no container, no globals."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import structlog
from temporalio.client import Client

from activities.admins import Admins
from activities.alerting import AlertActivities
from activities.broadcasting import BroadcastActivities
from activities.contracts import TaskQueue
from activities.delivery import DeliveryActivities
from activities.erasing import Eraser, WorkflowHistories
from activities.invariants import InvariantActivities, InvariantNews
from activities.kie import KieActivities
from activities.late_results import LateResults
from activities.lost import Graces, LostWorkActivities, WorkflowEnds
from activities.measuring import (
    AccountSource,
    DiskSource,
    Looks,
    RowSources,
    Source,
    TemporalSources,
    begin_counters,
    volumes,
)
from activities.media import MediaActivities
from activities.notices import NoticeActivities
from activities.orders import OrderActivities
from activities.probes import TelegramProbe, UnusedOpenAi
from activities.probing import ProbeActivities
from activities.registry import activities_of
from activities.reporting import ReportActivities
from activities.retention import RetentionActivities
from activities.signals import WorkflowSignals
from clients.confined import Confined
from clients.kie import KieClient, KieTimeouts
from clients.media import MediaStorage
from clients.results import ResultDownloader
from clients.telegram import TelegramClient
from domain.clock import utc_now
from domain.keys import KieKey
from domain.policy import OrderPolicy
from environment import WrongSetting
from settings import Settings
from store.broadcasts import Broadcasts
from store.daily_reports import DailyReports
from store.database import UNAVAILABLE_ERRORS, Database
from store.forget import DUE_AFTER, Forgetting
from store.invariants import Invariants
from store.limits import RateLimits
from store.lost_work import LostWorkRows
from store.services import Outside, Watch
from store.stores import Stores, build_stores
from store.system import SystemRows
from store.users import Users
from worker_roles import NEED_MEDIA

if TYPE_CHECKING:
    from activities.prompts import PromptActivities

_SWEEP_SECONDS: Final = 10.0
_ERASE_SECONDS: Final = 5.0
_LATE_SECONDS: Final = 60.0
_MEASURE_SECONDS: Final = 15.0
_PROBE_SECONDS: Final = 15.0  # so soon a probe that is due is made
_CALL_MARGIN: Final = 0.75  # a call gives up before its activity does, and writes down what it knows

_log = structlog.get_logger("worker")

Activities = dict[TaskQueue, list[Callable[..., Any]]]


class WorkerParts:
    """Each is made when it is first asked for: a role pays for what it uses, and needs no other settings.

    `stack` closes every connection again.
    """

    def __init__(
        self,
        settings: Settings,
        keys: tuple[KieKey, ...],
        database: Database,
        client: Client,
        stack: AsyncExitStack,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._database = database
        self._client = client
        self._stack = stack

    # -- what activities are made of

    @cached_property
    def stores(self) -> Stores:
        settings = self._settings
        return build_stores(
            self._database,
            utc_now,
            settings.order_policy,
            [key.ref for key in self._keys],
            settings.preferred_models,
            settings.time_scale,
        )

    @cached_property
    def users(self) -> Users:
        return Users(self._database, self.stores.ledger, utc_now, self._settings.welcome_credits)

    @cached_property
    def telegram(self) -> TelegramClient:
        return _telegram(self._settings, self._stack, self.stores.services.watch(Outside.TELEGRAM))

    @cached_property
    def kie_client(self) -> KieClient:
        return _kie(self._settings, self._keys, self._stack)

    @cached_property
    def storage(self) -> MediaStorage:
        return _media(self._settings)

    @cached_property
    def admins(self) -> Admins:
        return Admins(self.telegram, self.users, self._settings.admins)

    @cached_property
    def eraser(self) -> Eraser:
        scale = self._settings.time_scale
        forgetting = Forgetting(self._database, self.stores.ledger, utc_now, DUE_AFTER * scale)
        return Eraser(forgetting, self.storage, WorkflowHistories(self._client), scale)

    @cached_property
    def late_results(self) -> LateResults:
        limits = RateLimits(self._database, utc_now)
        # Half of the time between two rounds: one that comes a moment early is one, too.
        apart_seconds = _LATE_SECONDS * self._settings.time_scale / 2
        return LateResults(
            self.kie_client, self.stores.admission, self.stores.accounts, limits, apart_seconds
        )

    # -- activities, under the names the registry knows

    @cached_property
    def orders(self) -> OrderActivities:
        return OrderActivities(self.stores, utc_now)

    @cached_property
    def lost(self) -> LostWorkActivities:
        graces = Graces.of(self._settings.order_policy, self._settings.time_scale)
        ends = WorkflowEnds(self._client)
        return LostWorkActivities(LostWorkRows(self._database), self.stores, ends, utc_now, graces)

    @cached_property
    def invariants(self) -> InvariantActivities:
        return InvariantActivities(Invariants(self._database, utc_now), utc_now)

    @cached_property
    def invariant_news(self) -> InvariantNews:
        return InvariantNews(Invariants(self._database, utc_now), self.admins, utc_now)

    @cached_property
    def prompts(self) -> "PromptActivities":
        from worker_prompts import prompt_activities  # noqa: PLC0415 - half of the time that a start takes

        limits = RateLimits(self._database, utc_now)
        return prompt_activities(self._settings, self.stores, self.storage, limits, self._stack)

    @cached_property
    def kie(self) -> KieActivities:
        return KieActivities(self.kie_client, self.stores, self.storage, WorkflowSignals(self._client))

    @cached_property
    def probe(self) -> ProbeActivities:
        return ProbeActivities(self.kie_client, self.stores.accounts, self._settings.preferred_models)

    @cached_property
    def media(self) -> MediaActivities:
        results = _results(self._settings, self._stack)
        return MediaActivities(self.telegram, self.kie_client, results, self.stores, self.storage, Confined())

    @cached_property
    def retention(self) -> RetentionActivities:
        return RetentionActivities(self.storage, self.stores.videos, utc_now)

    @cached_property
    def delivery(self) -> DeliveryActivities:
        return DeliveryActivities(self.telegram, self.stores, self.storage)

    @cached_property
    def notices(self) -> NoticeActivities:
        contact = self._settings.support_contact
        return NoticeActivities(self.telegram, self.stores, self.storage, support_contact=contact)

    @cached_property
    def alerts(self) -> AlertActivities:
        return AlertActivities(self.telegram, self.stores, self.users, self._settings.admins)

    @cached_property
    def broadcasts(self) -> BroadcastActivities:
        rows = Broadcasts(self._database, utc_now)
        return BroadcastActivities(self.telegram, rows, self.stores.pacing)

    @cached_property
    def report(self) -> ReportActivities:
        return ReportActivities(DailyReports(self._database, utc_now), self.admins)

    # -- what is measured

    @property
    def video_models(self) -> tuple[str, ...]:
        return self._settings.preferred_models

    @property
    def asks_openai(self) -> bool:
        return bool(self._settings.openai_api_key)

    def gauge_sources(self, roles: Sequence[TaskQueue]) -> dict[str, Source]:
        """Empty where nobody could read them."""
        sources: dict[str, Source] = {}
        if not self._settings.metrics_port:
            return sources
        if TaskQueue.ORDERS in roles:
            sources |= RowSources(SystemRows(self._database, utc_now)).sources
            sources |= TemporalSources(self._client, utc_now).sources
        if TaskQueue.KIE in roles:
            sources |= AccountSource(self.stores.accounts).sources
        if NEED_MEDIA.intersection(roles):
            sources |= DiskSource(volumes(self._settings.media_url)).sources
        return sources


def build_activities(parts: WorkerParts, roles: Sequence[TaskQueue]) -> Activities:
    return {queue: activities_of(queue, parts) for queue in roles}


def run_loops(
    parts: WorkerParts, roles: Sequence[TaskQueue], time_scale: float, stack: AsyncExitStack
) -> None:
    """What a role does besides activities; `stack` ends it."""
    if TaskQueue.KIE in roles:
        # The safety net of admission: a slot nobody granted is granted here.
        _repeat("admission", parts.kie.wake_granted, _SWEEP_SECONDS * time_scale, stack)
        _repeat("late results", parts.late_results.look, _LATE_SECONDS * time_scale, stack)
    if TaskQueue.TELEGRAM in roles:
        probe = TelegramProbe(parts.telegram, parts.stores.services)
        _repeat("Telegram's return", probe.look, _PROBE_SECONDS * time_scale, stack)
    if TaskQueue.PROMPTS in roles and not parts.asks_openai:
        unused = UnusedOpenAi(parts.stores.services)
        _repeat("OpenAI is not asked", unused.look, _PROBE_SECONDS * time_scale, stack)
    if TaskQueue.MEDIA in roles:
        _repeat("erasing", parts.eraser.empty, _ERASE_SECONDS * time_scale, stack)
    if sources := parts.gauge_sources(roles):
        begin_counters(roles, parts.video_models)
        _repeat("measuring", Looks(sources, utc_now).look, _MEASURE_SECONDS * time_scale, stack)


def _media(settings: Settings) -> MediaStorage:
    try:
        return MediaStorage(settings.media_url)
    except OSError as error:
        raise WrongSetting(f"MEDIA_URL: {settings.media_url} cannot be used: {error}") from None


def _telegram(settings: Settings, stack: AsyncExitStack, watch: Watch) -> TelegramClient:
    upload_seconds = settings.order_policy.send_timeout_seconds * _CALL_MARGIN
    telegram = TelegramClient(settings.bot_token, settings.telegram_api_base, upload_seconds, watch)
    stack.push_async_callback(telegram.close)
    return telegram


def _kie(settings: Settings, keys: tuple[KieKey, ...], stack: AsyncExitStack) -> KieClient:
    kie = KieClient(
        keys,
        api_base=settings.kie_api_base,
        upload_base=settings.kie_upload_base,
        webhook_secret=settings.kie_webhook_secret,
        public_base_url=settings.public_base_url,
        timeouts=_kie_timeouts(settings.order_policy),
    )
    stack.push_async_callback(kie.aclose)
    return kie


def _results(settings: Settings, stack: AsyncExitStack) -> ResultDownloader:
    downloader = ResultDownloader([settings.kie_api_base, settings.kie_upload_base])
    stack.push_async_callback(downloader.close)
    return downloader


def _kie_timeouts(policy: OrderPolicy) -> KieTimeouts:
    total_seconds = min(policy.create_timeout_seconds, policy.call_timeout_seconds) * _CALL_MARGIN
    return KieTimeouts(
        silence_seconds=min(30.0, total_seconds),
        total_seconds=total_seconds,
        upload_seconds=max(total_seconds, policy.fetch_timeout_seconds / 3),
    )


def _repeat(
    name: str, step: Callable[[], Awaitable[None]], pause_seconds: float, stack: AsyncExitStack
) -> None:
    stack.callback(asyncio.create_task(_forever(name, step, max(1.0, pause_seconds))).cancel)


async def _forever(name: str, step: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
    """One failed round is logged, and the next one comes all the same: all of it stands in rows."""
    while True:
        await asyncio.sleep(pause_seconds)
        outcome = (await asyncio.gather(step(), return_exceptions=True))[0]
        if isinstance(outcome, UNAVAILABLE_ERRORS):
            _log.warning("round skipped", loop=name, error=type(outcome).__name__)
        elif isinstance(outcome, BaseException):
            _log.error("round failed", loop=name, exc_info=outcome)
