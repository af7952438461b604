"""Moderation and scripts. Without an OpenAI key both are skipped: KIE's own moderation decides."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from temporalio import activity

from activities import contracts
from activities.contracts import Nothing, OrderRef
from activities.failing import final, for_now, not_our_turn, tries, turns_missed, unreachable
from activities.open_orders import require_open
from clients.media import MediaMissing, MediaStorage
from clients.openai import OpenAiFailed, OpenAiNotSent, Pictures, ScriptWriter
from domain.failures import Failure, FailureClass
from domain.orders import Template
from domain.provider_words import provider_words
from domain.scripts import PhotoStatus
from domain.video_models import smallest_prompt_limit
from prompts import brief_text, instructions
from store.limits import Rate, RateLimits
from store.order_rows import OrderRow
from store.orders import Orders

_log = structlog.get_logger(__name__)

_TRIES_MAX: Final = 3
_TRIES_OF_A_BRIEF_MAX: Final = 2  # that made the writer break its rules
_SPREAD_SECONDS_MAX: Final = 10.0


@dataclass(frozen=True, slots=True)
class GptCalls:
    """So many per minute of all workers together, as many of them at once."""

    limits: RateLimits
    per_minute: int

    async def take(self) -> None:
        """Raise the failure that tries again later; those who wait longer ask less often."""
        rate = Rate(self.per_minute / 60, burst=self.per_minute)
        wait_seconds = await self.limits.take("GPT calls", rate)
        if wait_seconds:
            spread_seconds = min(_SPREAD_SECONDS_MAX, 2.0 ** turns_missed())
            pause_seconds = wait_seconds + random.uniform(0, spread_seconds)  # noqa: S311 - no cryptography
            raise not_our_turn("GPT calls", timedelta(seconds=pause_seconds))


class PromptActivities:
    """`openai` is None where no key is set."""

    def __init__(
        self,
        openai: ScriptWriter | None,
        orders: Orders,
        media: MediaStorage,
        video_models: Sequence[str],
        calls: GptCalls,
    ) -> None:
        self._openai = openai
        self._calls = calls
        self._orders = orders
        self._media = media
        self._prompt_chars_max = smallest_prompt_limit(video_models)

    @activity.defn(name=contracts.MODERATE_BRIEF.name)
    async def moderate_brief(self, ref: OrderRef) -> Nothing:
        order = await self._orders.read(ref.order_id)
        await require_open(self._orders, order.id)
        if self._openai is None or await self._orders.has_scripts(order.id):
            return Nothing()
        verdict = await self._verdict(self._openai, order)
        if verdict is not None:
            raise final(verdict)
        return Nothing()

    async def _verdict(self, openai: ScriptWriter, order: OrderRow) -> Failure | None:
        """An own prompt does not depend on OpenAI: without its answer KIE's moderation decides."""
        brief = order.brief
        text = "\n".join(part for part in (brief.product_text, brief.wishes, brief.own_prompt) if part)
        pictures = await self._pictures(order)
        try:
            return await openai.moderate(text, pictures)
        except (OpenAiFailed, OpenAiNotSent) as error:
            if brief.template is Template.OWN:
                _log.warning("own prompt not moderated", order_id=order.id, error=type(error).__name__)
                return None
            raise _temporal_error(error, text) from None

    @activity.defn(name=contracts.WRITE_SCRIPTS.name)
    async def write_scripts(self, ref: OrderRef) -> Nothing:
        """One script per video, kept in its row; written once."""
        order = await self._orders.read(ref.order_id)
        await require_open(self._orders, order.id)
        if await self._orders.has_scripts(order.id):
            return Nothing()
        await self._orders.keep_scripts(order.id, await self._scripts(order))
        return Nothing()

    async def _scripts(self, order: OrderRow) -> list[str]:
        if order.brief.template is Template.OWN:
            return [order.brief.own_prompt] * order.video_count
        if self._openai is None:
            raise final(Failure(FailureClass.BILLING, code="OPENAI_API_KEY is not set"))
        await self._calls.take()
        pictures = await self._pictures(order)
        try:
            answer = await self._openai.write_scripts(
                self._told(order, len(pictures.views)),
                brief_text(order.brief),
                pictures,
                order.video_count,
                self._prompt_chars_max,
                order.language,
            )
        except (OpenAiFailed, OpenAiNotSent) as error:
            raise _temporal_error(error, brief_text(order.brief)) from None
        if answer.photo_status is not PhotoStatus.OK:
            raise final(Failure(FailureClass.USER_VIOLATION, answer.photo_status.reason))
        await self._require_harmless(self._openai, answer.scripts)
        return list(answer.scripts)

    async def _require_harmless(self, openai: ScriptWriter, scripts: Sequence[str]) -> None:
        try:
            verdict = await openai.moderate_scripts(scripts)
        except (OpenAiFailed, OpenAiNotSent) as error:
            raise _temporal_error(error, "\n".join(scripts)) from None
        if verdict is not None:
            raise _temporal_error(OpenAiFailed(verdict, retryable=True))

    def _told(self, order: OrderRow, view_count: int) -> str:
        return instructions(
            order.brief.template,
            order.video_count,
            order.language,
            self._prompt_chars_max,
            options=order.options,
            view_count=view_count,
        )

    async def _pictures(self, order: OrderRow) -> Pictures:
        photo = await self._media.get(order.photo_media_key or "")
        views = [await self._view(key) for key in order.view_media_keys]
        return Pictures(photo, tuple(view for view in views if view))

    async def _view(self, key: str) -> bytes:
        """Empty where it is gone: a view only helps to know the product."""
        try:
            return await self._media.get(key)
        except MediaMissing:
            _log.warning("view left out", view=key)
            return b""


def _temporal_error(error: OpenAiFailed | OpenAiNotSent, written_by_people: str = "") -> Exception:
    if isinstance(error, OpenAiNotSent):
        return unreachable("OpenAI")
    tries_max = (
        _TRIES_OF_A_BRIEF_MAX if error.failure.failure_class is FailureClass.USER_VIOLATION else _TRIES_MAX
    )
    said = provider_words(error.said, written_by_people)
    if error.retryable and tries() < tries_max:
        return for_now(error.failure, said=said)
    return final(error.failure, said=said)
