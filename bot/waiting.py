"""Writes to those whose order could not be taken, once it can."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog

from bot.feeder import Feeder
from bot.parts import BotParts
from bot.screens import show_draft
from bot.turn import Turn, begin_turn
from clients.telegram import TelegramBlocked, TelegramError, TelegramNotSent, TelegramRateLimited
from domain.video_models import CATALOGUE
from domain.waiting import NOTED_WAIT_SECONDS, WaitingDraft, WaitReason
from store.pacing import Pacing
from store.switches import MAINTENANCE
from texts import library_cards

_log = structlog.get_logger()

TELL_SECONDS: Final = 5.0
_TOLD_PER_ROUND_MAX: Final = 100
_INVITED_SECONDS: Final = 300.0  # so long the room of somebody who was told is kept for him


class WaitingTeller:
    def __init__(self, parts: BotParts, feeder: Feeder) -> None:
        self._parts = parts
        self._feeder = feeder
        self._pacing = Pacing(parts.limits)

    async def tell(self) -> None:
        """As many as there is room for, who waits longest first; the others wait for the next round."""
        reasons = await self._parts.waiting_drafts.reasons()
        if WaitReason.MODEL_RESTS in reasons:
            await self._tell_while(self._model_serves, {WaitReason.MODEL_RESTS})
        if reasons - {WaitReason.MODEL_RESTS}:
            await self._tell_while(self._has_room, {WaitReason.BUSY, WaitReason.MAINTENANCE})

    async def _tell_while(self, allowed: Callable[[], Awaitable[bool]], reasons: set[WaitReason]) -> None:
        """Asked before each one: other processes tell, too."""
        for _ in range(_TOLD_PER_ROUND_MAX):
            waiting = await self._parts.waiting_drafts.claim(reasons) if await allowed() else None
            if waiting is None or not await self._tell_one(waiting):
                return

    async def _has_room(self) -> bool:
        """Below the wait from which the card would say so, with all who were told lately."""
        if await self._parts.switches.is_on(MAINTENANCE):
            return False
        room = (await self._parts.admission.outlook()).room_within(NOTED_WAIT_SECONDS)
        invited = timedelta(seconds=_INVITED_SECONDS * self._parts.time_scale)
        return room > await self._parts.waiting_drafts.invited_videos(invited)

    async def _model_serves(self) -> bool:
        marked = {mark.video_model for mark in await self._parts.accounts.model_marks()}
        return any(CATALOGUE[slug].live and slug not in marked for slug in self._parts.shop.video_models)

    async def _tell_one(self, waiting: WaitingDraft) -> bool:
        """False: Telegram takes nothing now. What surely was not sent is told again later."""
        async with self._feeder.alone_with(waiting.tg_user_id):
            try:
                await self._write_to(waiting)
            except (TelegramNotSent, TelegramRateLimited) as error:
                await self._parts.waiting_drafts.put_back(waiting)
                _log.warning("somebody who waits was not told", error=type(error).__name__)
                return False
            except TelegramBlocked:
                await self._parts.users.mark_blocked(waiting.tg_user_id)
                await self._parts.waiting_drafts.put_back(waiting)
            except TelegramError as error:
                _log.warning("somebody who waits may not have been told", error=type(error).__name__)
        return True

    async def _write_to(self, waiting: WaitingDraft) -> None:
        user = await self._parts.users.find(waiting.tg_user_id)
        if user is None:
            return
        turn = await begin_turn(self._parts, user)
        if waiting.reason is WaitReason.MODEL_RESTS:
            await self._pace()
            await turn.say(library_cards.model_is_back(turn.language, waiting.draft_id))
        else:
            await self._offer_again(turn, waiting.draft_id)

    async def _offer_again(self, turn: Turn, draft_id: str) -> None:
        """The same confirm card, one tap from Generate; nothing to who ordered or dropped it meanwhile."""
        draft = await self._parts.drafts.get(draft_id, turn.user.tg_user_id)
        if draft is None or not draft.buys:
            return
        await self._pace()
        await turn.say(library_cards.free_again(turn.language))
        await self._pace()
        await show_draft(turn, draft)

    async def _pace(self) -> None:
        """Telegram told another process of ours to be silent: as if it had told us."""
        if wait_seconds := await self._pacing.wait():
            raise TelegramRateLimited(wait_seconds)
