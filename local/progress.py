"""What is starting, for a person who waits: alive on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.status import Status


class Progress:
    """Says nothing."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        del title
        yield

    def say(self, line: str) -> None:
        del line


class ConsoleProgress(Progress):
    """One line per finished step; on a terminal, below them what is still starting."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("", console=console) if console.is_terminal else None
        self._running: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        started_at = time.monotonic()
        self._running.append(title)
        self._show()
        try:
            yield
        finally:
            self._running.remove(title)
            self._show()
        self._console.print(f"[green]✓[/] {title:<28} [dim]{time.monotonic() - started_at:5.1f} s[/]")

    def say(self, line: str) -> None:
        """A terminal that is gone, or a full disk behind it, ends nothing."""
        with suppress(OSError):
            self._console.print(line, markup=False, highlight=False)

    def _show(self) -> None:
        if self._status is None:
            return
        if self._running:
            self._status.update(", ".join(self._running))
            self._status.start()
        else:
            self._status.stop()
