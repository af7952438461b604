"""Ids of what is worked on: they stand on every log line that is written meanwhile, ours and libraries'."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars


def note(**ids: str | int) -> None:
    """From now on, in this task and in those it starts. What is empty is not known."""
    bind_contextvars(**{name: value for name, value in ids.items() if value})


@contextmanager
def about(**ids: str | int) -> Iterator[None]:
    """Nothing of what was noted before counts inside, and nothing that is noted inside counts after."""
    before = get_contextvars()
    clear_contextvars()
    note(**ids)
    try:
        yield
    finally:
        clear_contextvars()
        bind_contextvars(**before)
