"""The parts of a worker, built by hand from settings."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final

import structlog
from temporalio.client import Client

from activities.contracts import TaskQueue
from activities.delivery import DeliveryActivities
from activities.kie import KieActivities
from activities.media import MediaActivities
from activities.notices import NoticeActivities
from activities.orders import OrderActivities
from activities.prompts import PromptActivities
from activities.registry import ActivityParts, activities_by_queue
from activities.signals import WorkflowSignals
from clients.kie import KieClient
from clients.media import MediaStorage
from clients.openai import ScriptWriter
from clients.results import ResultDownloader
from clients.telegram import TelegramClient
from domain.clock import utc_now
from settings import Settings, load_kie_keys
from store.database import UNAVAILABLE_ERRORS, Database
from store.stores import build_stores

ActivityList = list[Callable[..., Any]]

_SWEEP_SECONDS: Final = 10.0

_log = structlog.get_logger("worker")


async def build_activities(
    settings: Settings, database: Database, client: Client, stack: AsyncExitStack
) -> dict[TaskQueue, ActivityList]:
    """What is opened here is closed by `stack`."""
    policy = settings.order_policy
    keys = load_kie_keys()
    stores = build_stores(
        database, utc_now, policy, [key.ref for key in keys], settings.preferred_models, settings.time_scale
    )
    media = MediaStorage(settings.media_url)
    telegram = TelegramClient(settings.bot_token, settings.telegram_api_base)
    stack.push_async_callback(telegram.close)
    kie = KieClient(
        keys,
        api_base=settings.kie_api_base,
        upload_base=settings.kie_upload_base,
        webhook_secret=settings.kie_webhook_secret,
        public_base_url=settings.public_base_url,
    )
    stack.push_async_callback(kie.aclose)
    results = ResultDownloader((settings.kie_api_base, settings.kie_upload_base))
    stack.push_async_callback(results.close)
    writer = _script_writer(settings, stack)
    kie_activities = KieActivities(kie, stores, media, WorkflowSignals(client))
    sweep = asyncio.create_task(_sweep(kie_activities, _SWEEP_SECONDS * settings.time_scale))
    stack.callback(sweep.cancel)
    result_pauses = tuple(timedelta(seconds=seconds) for seconds in policy.result_pauses_seconds)
    return activities_by_queue(
        ActivityParts(
            orders=OrderActivities(stores, utc_now),
            prompts=PromptActivities(writer, stores.orders, media, settings.preferred_models),
            kie=kie_activities,
            media=MediaActivities(telegram, kie, results, stores, media, result_pauses),
            delivery=DeliveryActivities(telegram, stores, media),
            notices=NoticeActivities(
                telegram, stores, media, admins=settings.admins, support_contact=settings.support_contact
            ),
        )
    )


def _script_writer(settings: Settings, stack: AsyncExitStack) -> ScriptWriter | None:
    if not settings.openai_api_key.get_secret_value():
        return None
    writer = ScriptWriter(
        settings.openai_api_key, base_url=settings.openai_base_url, model=settings.openai_model
    )
    stack.push_async_callback(writer.aclose)
    return writer


async def _sweep(kie: KieActivities, pause_seconds: float) -> None:
    """The safety net of admission: a slot nobody granted is granted here."""
    while True:
        await asyncio.sleep(max(1.0, pause_seconds))
        try:
            await kie.wake_granted()
        except UNAVAILABLE_ERRORS as error:
            _log.warning("admission sweep skipped", error=type(error).__name__)
