"""A broadcast, stretch by stretch: nobody gets it twice, and only whose sending had no answer is left out."""

import asyncio
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import structlog
from temporalio import activity

from activities import contracts
from activities.payloads import BroadcastProgress, BroadcastRef, SendBroadcast
from clients.telegram import (
    TelegramBlocked,
    TelegramClient,
    TelegramNotSent,
    TelegramRateLimited,
    TelegramRefused,
    TelegramUnknown,
)
from domain import ids
from domain.broadcasts import Broadcast, Recipient, Sending
from domain.orders import Language
from store.broadcasts import Broadcasts
from store.pacing import Pacing
from texts import broadcast_cards

_log = structlog.get_logger(__name__)

SENDERS: Final = 5  # one call takes longer than the pause between two
_BAD_IN_ROW_MAX: Final = 5
_BOT_REFUSED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
_LOOK_SECONDS: Final = 0.5  # so soon a wait for our turn is noticed to be in vain


class BroadcastActivities:
    def __init__(self, telegram: TelegramClient, broadcasts: Broadcasts, pacing: Pacing) -> None:
        self._telegram = telegram
        self._broadcasts = broadcasts
        self._pacing = pacing

    @activity.defn(name=contracts.SEND_BROADCAST.name)
    async def send_broadcast(self, request: SendBroadcast) -> BroadcastProgress:
        """The next stretch. After a killed worker the next try goes on behind what that one began."""
        holder = ids.new_holder_id()
        user_ids = await self._broadcasts.claim(request.broadcast_id, holder, request.users_max)
        broadcast = await self._broadcasts.find(request.broadcast_id)
        stretch = _Stretch(self._telegram, self._broadcasts, self._pacing, broadcast, holder, user_ids)
        await stretch.send(SENDERS)
        return progress_of(await self._broadcasts.find(broadcast.id), stretch.pause_seconds, stretch.trouble)

    @activity.defn(name=contracts.CANCEL_BROADCAST.name)
    async def cancel_broadcast(self, ref: BroadcastRef) -> BroadcastProgress:
        await self._broadcasts.cancel(ref.broadcast_id)
        return progress_of(await self._broadcasts.find(ref.broadcast_id))


def progress_of(broadcast: Broadcast, pause_seconds: float = 0.0, trouble: str = "") -> BroadcastProgress:
    return BroadcastProgress(
        state=broadcast.state.value,
        users_total=broadcast.users_total,
        sent=broadcast.sent,
        blocked=broadcast.blocked,
        failed=broadcast.failed,
        unknown=broadcast.unknown,
        pause_seconds=pause_seconds,
        trouble=trouble,
    )


class _Stretch:
    """Several senders, one list. Trouble stops all of them; whom they had not begun is still due."""

    def __init__(
        self,
        telegram: TelegramClient,
        broadcasts: Broadcasts,
        pacing: Pacing,
        broadcast: Broadcast,
        holder: str,
        user_ids: list[int],
    ) -> None:
        self._telegram = telegram
        self._broadcasts = broadcasts
        self._pacing = pacing
        self._id = broadcast.id
        self._texts: Mapping[Language, str] = broadcast.texts
        self._holder = holder
        self._due = deque(user_ids)
        self._bad_max = min(_BAD_IN_ROW_MAX, max(1, len(user_ids)))  # one who tries for all is enough
        self._bad_in_row = 0
        self._stopped = False
        self.pause_seconds = 0.0
        self.trouble = ""

    async def send(self, senders: int) -> None:
        """One sender that breaks lets the others finish what they have begun."""
        ends = await asyncio.gather(*(self._send_on() for _ in range(senders)), return_exceptions=True)
        broken = [end for end in ends if isinstance(end, BaseException)]
        if broken:
            raise broken[0]

    async def _send_on(self) -> None:
        try:
            while self._due and await self._our_turn() and self._due:
                await self._send_to(self._due.popleft())
        except BaseException:
            self._stopped = True
            raise

    async def _our_turn(self) -> bool:
        while not self._stopped and (wait_seconds := await self._pacing.broadcast()):  # noqa: ASYNC110 - a row's state
            await asyncio.sleep(min(wait_seconds, _LOOK_SECONDS))
        return not self._stopped

    async def _send_to(self, user_id: int) -> None:
        recipient = await self._broadcasts.begin(self._id, self._holder, user_id)
        if recipient is None:
            self._stopped = self._stopped or not await self._broadcasts.is_held(self._id, self._holder)
            return
        try:
            await self._call(recipient)
        except TelegramRateLimited as limited:
            await self._put_back(user_id, "Telegram asks for a pause", limited.retry_after_seconds)
            await self._pacing.rest(limited.retry_after_seconds)
        except TelegramNotSent:
            await self._put_back(user_id, "Telegram cannot be reached")

    async def _call(self, recipient: Recipient) -> None:
        """Raise what surely sent nothing, and will be sent later."""
        card = broadcast_cards.broadcast(self._texts[recipient.language])
        try:
            await self._telegram.send_text(recipient.tg_user_id, card)
        except TelegramBlocked:
            await self._count(recipient, Sending.BLOCKED)
        except TelegramUnknown:
            await self._count(recipient, Sending.UNKNOWN, trouble="Telegram does not answer")
        except TelegramRefused as refused:
            if refused.code in _BOT_REFUSED:
                raise TelegramNotSent(f"HTTP {refused.code}") from None
            await self._count(recipient, Sending.FAILED, refused.description, "Telegram refuses it")
        else:
            await self._count(recipient, Sending.SENT)

    async def _count(
        self, recipient: Recipient, outcome: Sending, error: str = "", trouble: str = ""
    ) -> None:
        """Not everybody is lost to an hour in which nothing is answered: a few, and then a pause."""
        await self._broadcasts.finish(self._id, recipient.user_id, outcome, error)
        self._bad_in_row = self._bad_in_row + 1 if trouble else 0
        if self._bad_in_row >= self._bad_max:
            self._stop(trouble)

    async def _put_back(self, user_id: int, trouble: str, pause_seconds: float = 0.0) -> None:
        self._stop(trouble, pause_seconds)
        await self._broadcasts.put_back(self._id, user_id)

    def _stop(self, trouble: str, pause_seconds: float = 0.0) -> None:
        self._stopped = True
        self.trouble = self.trouble or trouble
        self.pause_seconds = max(self.pause_seconds, pause_seconds)
