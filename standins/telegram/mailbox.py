"""Updates on their way to the bot: kept until confirmed, fetched by getUpdates."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from standins.telegram.errors import conflict
from standins.telegram.model import Update
from standins.telegram.world import World

Json = dict[str, Any]
Queue = tuple[int, str]  # a chat, and a kind of update where that waits for no other

UPDATES_KEPT_MAX: Final = 20_000
POLL_SECONDS_MAX: Final = 50
# As Telegram lists them, whatever the order they were asked for in.
KINDS: Final = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "message_reaction",
    "message_reaction_count",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "purchased_paid_media",
    "managed_bot",
    "guest_message",
)
_NOT_UNLESS_ASKED: Final = {"chat_member", "message_reaction", "message_reaction_count"}
_USUAL: Final = [kind for kind in KINDS if kind not in _NOT_UNLESS_ASKED]
_MESSAGES: Final = {"message", "edited_message"}


@dataclass(eq=False)
class _Poll:
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    replaced_by: str = ""


class Mailbox:
    """`on_post` is told of every new update; the webhook sender listens there."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._poll: _Poll | None = None
        self.on_post: Callable[[], None] = lambda: None

    def allow(self, kinds: Any) -> None:
        """What is no list changes nothing; an empty one stands for the usual kinds."""
        if not isinstance(kinds, list):
            return
        known = [kind for kind in KINDS if kind in kinds]
        self._world.memory.allowed_updates = [] if known == _USUAL else known
        self._world.is_unsaved = True

    def post(
        self, kind: str, chat_id: int, payload: Json, update_id: int = 0, *, is_forced: bool = False
    ) -> int:
        """The update's id; 0 for a kind the bot did not ask for."""
        memory = self._world.memory
        if not (is_forced or self._is_wanted(kind)):
            return 0
        if not update_id:
            update_id = memory.next_update_id
        memory.next_update_id = max(memory.next_update_id, update_id + 1)
        memory.updates[update_id] = Update(update_id=update_id, kind=kind, chat_id=chat_id, payload=payload)
        memory.pending.append(update_id)
        self._forget_oldest()
        self._announce()
        return update_id

    def repeat(self, update_id: int) -> bool:
        """Deliver an update once more, although it may be confirmed."""
        if update_id not in self._world.memory.updates:
            return False
        self._world.memory.repeats.append(update_id)
        self._announce()
        return True

    def end_poll(self, why: str) -> None:
        if self._poll:
            self._poll.replaced_by = why
            self._poll.woken.set()

    def drop_pending(self) -> None:
        self._world.memory.pending.clear()
        self._world.memory.repeats.clear()

    async def poll(
        self, offset: int, limit: int, timeout_seconds: float, is_gone: Callable[[], Awaitable[bool]]
    ) -> list[Json]:
        """The newer of two polls wins; the older is told so."""
        self.end_poll(
            "terminated by other getUpdates request; make sure that only one bot instance is running"
        )
        mine = self._poll = _Poll()
        self._confirm(offset)
        try:
            async with asyncio.timeout(timeout_seconds):
                while not mine.replaced_by and not self._has_mail():
                    await mine.woken.wait()
                    mine.woken.clear()
        except TimeoutError:
            return []
        finally:
            if self._poll is mine:
                self._poll = None
        if mine.replaced_by:
            raise conflict(mine.replaced_by)
        return [] if await is_gone() else self._take(limit)

    def _is_wanted(self, kind: str) -> bool:
        allowed = self._world.memory.allowed_updates
        return kind in allowed if allowed else kind not in _NOT_UNLESS_ASKED

    def _has_mail(self) -> bool:
        return bool(self._world.memory.pending or self._world.memory.repeats)

    def _announce(self) -> None:
        self._world.is_unsaved = True
        if self._poll:
            self._poll.woken.set()
        self.on_post()

    def _forget_oldest(self) -> None:
        memory = self._world.memory
        for oldest in list(memory.updates)[:-UPDATES_KEPT_MAX]:
            del memory.updates[oldest]
            for waiting in (memory.pending, memory.repeats):
                waiting[:] = [update_id for update_id in waiting if update_id != oldest]

    def _confirm(self, offset: int) -> None:
        memory = self._world.memory
        if offset < 0:
            memory.pending = memory.pending[offset:]
        else:
            memory.pending = [update_id for update_id in memory.pending if update_id >= offset]

    def _take(self, limit: int) -> list[Json]:
        memory = self._world.memory
        repeats, memory.repeats = memory.repeats[:limit], memory.repeats[limit:]
        chosen = [*repeats, *memory.pending[: limit - len(repeats)]]
        return [memory.updates[update_id].shown() for update_id in chosen]

    # -- for the webhook sender

    def queues(self) -> dict[Queue, list[int]]:
        """Unconfirmed update ids; one queue does not wait for another."""
        memory = self._world.memory
        queues: dict[Queue, list[int]] = {}
        for update_id in [*memory.repeats, *memory.pending]:
            queues.setdefault(self._queue_of(memory.updates[update_id]), []).append(update_id)
        return queues

    def _queue_of(self, update: Update) -> Queue:
        """A payment waits behind no chat. Telegram sends taps beside messages too: so do we, on order."""
        is_apart = self._world.memory.knobs.separate_kinds and update.kind not in _MESSAGES
        is_apart = is_apart or update.kind == "pre_checkout_query"
        return update.chat_id, update.kind if is_apart else ""

    def confirm_one(self, update_id: int) -> None:
        """It may be gone by now: dropped, or forgotten with everything else."""
        memory = self._world.memory
        source = memory.repeats if update_id in memory.repeats else memory.pending
        if update_id in source:
            source.remove(update_id)
        self._world.is_unsaved = True
