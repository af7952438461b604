"""Our own long-running programs as children: started, killed, restarted, kept running."""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from local.processes import LOCALHOST, ChildOwner, in_words, spawn

ROOT: Final = Path(__file__).parents[1]
READY_TIMEOUT_SECONDS: Final = 150.0  # a busy machine imports for a minute; an end is noticed at once
STOP_TIMEOUT_SECONDS: Final = 85.0  # a worker finishes what it has begun for up to 75 s
_PAUSE_SECONDS_MAX: Final = 30.0
_STEADY_SECONDS: Final = 60.0


class Program(ChildOwner):
    """`bot_main.py` or `worker_main.py` with its settings in its environment."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        metrics_port: int = 0,
    ) -> None:
        """`metrics_port` 0 is none: the SDK tells nobody which free port it took, so we choose."""
        self.name = self.title = name
        self.metrics_port = metrics_port
        self._arguments = arguments
        self._environment = environment
        self._log_path = folder / "logs" / f"{name}.log"
        self._ready_path = folder / "run" / f"{name}.ready"

    @property
    def metrics_url(self) -> str | None:
        return f"http://{LOCALHOST}:{self.metrics_port}/metrics" if self.metrics_port else None

    async def start(self) -> None:
        """Serving when this returns."""
        await self.launch()
        await self.until_ready()

    async def launch(self) -> None:
        """Started, but not waited for."""
        self._ready_path.parent.mkdir(parents=True, exist_ok=True)
        self._ready_path.unlink(missing_ok=True)
        self.started_child = await spawn(
            self.name,
            [sys.executable, *self._arguments],
            log_path=self._log_path,
            env={**self._environment, **self._own_environment()},
            cwd=str(ROOT),
        )

    def _own_environment(self) -> dict[str, str]:
        metrics = {"METRICS_PORT": str(self.metrics_port)} if self.metrics_port else {}
        return {"READY_FILE": str(self._ready_path), **metrics}

    async def until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while not self._ready_path.exists():
            if not self.child.is_running:
                raise self.child.failed(f"ended with {self.child.exit_code}")
            if time.monotonic() > deadline:
                raise self.child.failed("is not ready")
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        await self.child.kill()

    async def stop(self, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> int | None:
        return await super().stop(timeout_seconds)

    async def keep_running(self, say: Callable[[str], None], restarted: Callable[[], None]) -> None:
        """Start it again whenever it ends, sooner at first. Cancel this before stopping it."""
        pause_seconds = 1.0
        while True:
            started_at = time.monotonic()
            code = await self.child.wait()
            if time.monotonic() - started_at > _STEADY_SECONDS:
                pause_seconds = 1.0
            say(
                f"{self.name} ended with {code}, starts again in {pause_seconds:.0f} s; log: {self._log_path}"
            )
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, _PAUSE_SECONDS_MAX)
            try:
                await self.launch()
            except OSError as error:  # a full disk or process table: for a moment, or until somebody looks
                say(f"{self.name} could not be started: {in_words(error)}")
            else:
                restarted()
