"""The part of a worker that asks OpenAI. Its library takes as long to import as all the others together."""

from contextlib import AsyncExitStack
from typing import Final

from activities.prompts import GptCalls, PromptActivities
from clients.media import MediaStorage
from clients.openai import MODERATION, SCRIPTS, OpenAiTimeouts, ScriptWriter
from settings import Settings
from store.limits import RateLimits
from store.services import Outside, Services
from store.stores import Stores

_CALL_MARGIN: Final = 0.75  # a call gives up before its activity does


def prompt_activities(
    settings: Settings, stores: Stores, storage: MediaStorage, limits: RateLimits, stack: AsyncExitStack
) -> PromptActivities:
    calls = GptCalls(limits, settings.gpt_calls_per_minute)
    writer = _writer(settings, stack, stores.services)
    return PromptActivities(writer, stores.orders, storage, settings.preferred_models, calls)


def _writer(settings: Settings, stack: AsyncExitStack, services: Services) -> ScriptWriter | None:
    """Without a key only the own prompt is offered, and KIE's own moderation decides."""
    if not settings.openai_api_key:
        return None
    writer = ScriptWriter(
        settings.openai_api_key,
        base_url=settings.openai_base_url,
        model=settings.openai_model,
        timeouts=OpenAiTimeouts(total_seconds=settings.order_policy.call_timeout_seconds * _CALL_MARGIN),
        listeners={
            MODERATION: services.watch(Outside.OPENAI_MODERATION),
            SCRIPTS: services.watch(Outside.OPENAI),
        },
    )
    stack.push_async_callback(writer.aclose)
    return writer
