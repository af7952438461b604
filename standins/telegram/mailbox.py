"""Updates on their way to the bot: kept until confirmed, fetched by getUpdates."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from standins.telegram.errors import conflict
from standins.telegram.model import Update
from standins.telegram.world import World

Json = dict[str, Any]

UPDATES_KEPT_MAX: Final = 20_000
POLL_SECONDS_MAX: Final = 50
_NOT_UNLESS_ASKED: Final = {"chat_member", "message_reaction", "message_reaction_count"}


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

    def post(self, kind: str, chat_id: int, payload: Json, update_id: int = 0) -> int:
        """The update's id; 0 for a kind the bot did not ask for."""
        memory = self._world.memory
        if not self._is_wanted(kind):
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

    def queues(self) -> dict[int, list[int]]:
        """Unconfirmed update ids by chat: chats do not wait for each other."""
        memory = self._world.memory
        queues: dict[int, list[int]] = {}
        for update_id in [*memory.repeats, *memory.pending]:
            queues.setdefault(memory.updates[update_id].chat_id, []).append(update_id)
        return queues

    def confirm_one(self, update_id: int) -> None:
        memory = self._world.memory
        source = memory.repeats if update_id in memory.repeats else memory.pending
        source.remove(update_id)
        self._world.is_unsaved = True
