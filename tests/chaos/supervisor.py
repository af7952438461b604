"""Carries out the plan of faults on a running stack, and starts again what ended, as an operator's would."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import asyncpg

from local.processes import ChildFailed, ChildOwner
from local.stack import Stack
from tests.chaos.outside import Outside
from tests.chaos.plan import Fault, FaultKind

_RESTART_SECONDS: Final = 1.0  # of what ended by itself
_SERVING_SECONDS_MAX: Final = 180.0
_NOT_STARTED: Final = (ChildFailed, OSError, TimeoutError, asyncpg.PostgresError)

Start = Callable[[], Awaitable[None]]


@dataclass
class Kept:
    """One process that is started again whenever it ends."""

    name: str
    owner: ChildOwner
    start: Start
    restart_seconds: float = _RESTART_SECONDS
    killed_at: float | None = None
    serving: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    def __init__(self, stack: Stack, outside: Outside) -> None:
        self._stack = stack
        self._outside = outside
        self._faults: set[asyncio.Task[None]] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._kept = {kept.name: kept for kept in self._everything()}
        self._not_made: list[BaseException] = []
        self.done: Counter[str] = Counter()
        self.recoveries: list[tuple[str, float]] = []  # who, and seconds from its kill to serving again
        self.ended_by_themselves: Counter[str] = Counter()

    def _everything(self) -> list[Kept]:
        programs = [Kept(program.name, program, program.start) for program in self._stack.programs]
        servers = [
            Kept("postgres", self._stack.postgres, self._stack.postgres.start),
            Kept("temporal", self._stack.temporal, self._stack.temporal.start),
        ]
        return [*programs, *servers]

    async def __aenter__(self) -> Self:
        for kept in self._kept.values():
            kept.serving.set()
            self._keepers.append(asyncio.create_task(self._keep(kept)))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is started again from here on, and nothing stays frozen, or it could not end."""
        await _end([*self._faults, *self._keepers])
        self._thaw_all()

    async def carry_out(self, faults: Sequence[Fault], since_start: Callable[[], float]) -> None:
        """Each at its moment; a long one does not hold up the next."""
        for fault in faults:
            await asyncio.sleep(max(0.0, fault.at_seconds - since_start()))
            self._do_aside(self._carry_out(fault))

    async def heal(self) -> None:
        """Everything runs and answers when this returns. A fault that could not be made is our own bug."""
        await _end(self._faults)
        if self._not_made:
            raise self._not_made[0]
        self._thaw_all()
        await self._outside.heal()
        async with asyncio.timeout(_SERVING_SECONDS_MAX):
            await asyncio.gather(*(kept.serving.wait() for kept in self._kept.values()))

    def _do_aside(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing)
        self._faults.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._faults.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._not_made.append(failure)

    async def _carry_out(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.KILL:
                self._kill(self._kept[fault.target], fault.seconds)
            case FaultKind.FREEZE:
                await self._freeze(self._kept[fault.target], fault.seconds)
            case _:
                self.done[f"{fault.kind}: {fault.target}"] += 1  # begun: healing may cut it short
                await self._outside.break_for_a_while(fault)

    def _kill(self, kept: Kept, restart_seconds: float) -> None:
        if not kept.serving.is_set():
            self.done["kill -9 of what was down already"] += 1
            return
        self.done[f"kill -9: {_sort_of(kept.name)}"] += 1
        kept.serving.clear()
        kept.killed_at, kept.restart_seconds = time.monotonic(), restart_seconds
        os.kill(kept.owner.child.pid, signal.SIGKILL)

    async def _freeze(self, kept: Kept, seconds: float) -> None:
        child = kept.owner.child
        if not child.is_running:
            return
        self.done[f"freeze: {_sort_of(kept.name)}"] += 1
        os.kill(child.pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        if child.is_running:
            os.kill(child.pid, signal.SIGCONT)

    def _thaw_all(self) -> None:
        for kept in self._kept.values():
            if kept.owner.child.is_running:
                os.kill(kept.owner.child.pid, signal.SIGCONT)

    async def _keep(self, kept: Kept) -> None:
        while True:
            await kept.owner.child.wait()
            kept.serving.clear()
            if kept.killed_at is None:
                self.ended_by_themselves[f"{kept.name}: {kept.owner.child.exit_code}"] += 1
            await asyncio.sleep(kept.restart_seconds)
            await self._start_again(kept)

    async def _start_again(self, kept: Kept) -> None:
        """What does not come up is killed and tried again by the next turn of its keeper."""
        try:
            await kept.start()
        except _NOT_STARTED:
            await kept.owner.child.kill()
            return
        finally:
            self._stack.note_children()
        kept.serving.set()
        if kept.killed_at is not None:
            self.recoveries.append((_sort_of(kept.name), time.monotonic() - kept.killed_at))
        kept.killed_at, kept.restart_seconds = None, _RESTART_SECONDS


def _sort_of(name: str) -> str:
    return name.partition("-")[0]


async def _end(tasks: Sequence[asyncio.Task[None]] | set[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
