"""Everything a worker's activities are made of, by hand: no container, no globals."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Final

import structlog
from temporalio.client import Client

from activities.alerting import AlertActivities
from activities.contracts import TaskQueue
from activities.delivery import DeliveryActivities
from activities.kie import KieActivities
from activities.media import MediaActivities
from activities.notices import NoticeActivities
from activities.orders import OrderActivities
from activities.probing import ProbeActivities
from activities.prompts import GptCalls, PromptActivities
from activities.registry import ActivityParts, activities_by_queue
from activities.retention import RetentionActivities
from activities.signals import WorkflowSignals
from clients.kie import KieClient, KieTimeouts
from clients.media import MediaStorage
from clients.openai import OpenAiTimeouts, ScriptWriter
from clients.results import ResultDownloader
from clients.telegram import TelegramClient
from domain.clock import utc_now
from domain.keys import KieKey
from domain.policy import OrderPolicy
from settings import Settings, WrongSetting
from store.database import UNAVAILABLE_ERRORS, Database
from store.limits import RateLimits
from store.stores import build_stores
from store.users import Users

_SWEEP_SECONDS: Final = 10.0
_CALL_MARGIN: Final = 0.75  # a call gives up before its activity does, and writes down what it knows

_log = structlog.get_logger("worker")

Activities = dict[TaskQueue, list[Callable[..., Any]]]


def build_activities(
    settings: Settings, keys: tuple[KieKey, ...], database: Database, client: Client, stack: AsyncExitStack
) -> Activities:
    """`stack` closes every connection again."""
    refs = [key.ref for key in keys]
    models = settings.preferred_models
    stores = build_stores(database, utc_now, settings.order_policy, refs, models, settings.time_scale)
    telegram = _telegram(settings, stack)
    users = Users(database, stores.ledger, utc_now, settings.welcome_credits)
    kie = _kie(settings, keys, stack)
    media = _media(settings)
    calls = GptCalls(RateLimits(database, utc_now), settings.gpt_calls_per_minute)
    kie_activities = KieActivities(kie, stores, media, WorkflowSignals(client))
    sweep = asyncio.create_task(_sweep(kie_activities, _SWEEP_SECONDS * settings.time_scale))
    stack.callback(sweep.cancel)
    parts = ActivityParts(
        orders=OrderActivities(stores, utc_now),
        prompts=PromptActivities(_openai(settings, stack), stores.orders, media, models, calls),
        kie=kie_activities,
        media=MediaActivities(telegram, kie, _results(settings, stack), stores, media),
        delivery=DeliveryActivities(telegram, stores, media),
        notices=NoticeActivities(telegram, stores, media, support_contact=settings.support_contact),
        alerts=AlertActivities(telegram, stores, users, settings.admins),
        probe=ProbeActivities(kie, stores.accounts, models),
        retention=RetentionActivities(media, stores.videos, utc_now),
    )
    return activities_by_queue(parts)


def _media(settings: Settings) -> MediaStorage:
    try:
        return MediaStorage(settings.media_url)
    except OSError as error:
        raise WrongSetting(f"MEDIA_URL: {settings.media_url} cannot be used: {error}") from None


def _telegram(settings: Settings, stack: AsyncExitStack) -> TelegramClient:
    upload_seconds = settings.order_policy.send_timeout_seconds * _CALL_MARGIN
    telegram = TelegramClient(settings.bot_token, settings.telegram_api_base, upload_seconds)
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


def _openai(settings: Settings, stack: AsyncExitStack) -> ScriptWriter | None:
    """Without a key only the own prompt is offered, and KIE's own moderation decides."""
    if not settings.openai_api_key:
        return None
    writer = ScriptWriter(
        settings.openai_api_key,
        base_url=settings.openai_base_url,
        model=settings.openai_model,
        timeouts=OpenAiTimeouts(total_seconds=settings.order_policy.call_timeout_seconds * _CALL_MARGIN),
    )
    stack.push_async_callback(writer.aclose)
    return writer


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


async def _sweep(kie: KieActivities, pause_seconds: float) -> None:
    """The safety net of admission: a slot nobody granted is granted here."""
    while True:
        await asyncio.sleep(max(1.0, pause_seconds))
        try:
            await kie.wake_granted()
        except UNAVAILABLE_ERRORS as error:
            _log.warning("admission sweep skipped", error=type(error).__name__)
