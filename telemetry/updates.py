"""How long an update takes: until its handler ends, and until its user sees something."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from telemetry import metrics

_VISIBLE: Final = ("send", "edit", "answer")


@dataclass(slots=True)
class _Waiting:
    """Somebody waits for an answer, in this task and in those it starts."""

    kind: str
    began_at: float
    is_over: bool = False


_waiting: ContextVar[_Waiting | None] = ContextVar("waiting", default=None)


@contextmanager
def handled(kind: str) -> Iterator[None]:
    """From an update's arrival to the end of its handler. What is sent later is no answer to it."""
    waiting = _Waiting(kind, time.perf_counter())
    before = _waiting.get()
    _waiting.set(waiting)
    try:
        yield
    finally:
        waiting.is_over = True
        _waiting.set(before)
        metrics.UPDATE_DURATION.record(time.perf_counter() - waiting.began_at, kind=kind)


def seen(method: str) -> None:
    """Telegram has done this; the first thing that a person can see is the answer he waited for."""
    waiting = _waiting.get()
    if waiting is None or waiting.is_over or not method.startswith(_VISIBLE):
        return
    waiting.is_over = True
    metrics.ANSWER_DURATION.record(time.perf_counter() - waiting.began_at, kind=waiting.kind)
