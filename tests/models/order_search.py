"""Look for something that can happen to an order and must not."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Final

from hypothesis import example, given, reject, settings

from tests.models.loops import OwnLoop, own_loop
from tests.models.order_examples import EXAMPLES
from tests.models.order_plan import PLANS, OrderPlan
from tests.models.order_properties import complaints
from tests.models.order_stage import Played, StageLost, order_stage

_LETTING_GO_SECONDS: Final = 0.5
"""The SDK's threads let go of Python, or a process that ends now aborts."""
_LOST_MAX: Final = 3


def search(options: settings) -> None:
    """Raise what was found, with the plan that leads there. One server serves all examples."""
    with _player() as play:

        def ends_well(plan: OrderPlan) -> None:
            try:
                play(plan)
            except StageLost:
                reject()

        for plan in EXAMPLES.values():
            ends_well = example(plan=plan)(ends_well)
        settings(options)(given(plan=PLANS)(ends_well))()


def play_example(name: str) -> None:
    """Again where the server lost it: that says nothing, and this has to say something."""
    with _player() as play:
        for _ in range(_LOST_MAX):
            with suppress(StageLost):
                return play(EXAMPLES[name])
    raise StageLost


class _Servers:
    """A Temporal server for all examples; another one after it was spoilt."""

    def __init__(self, loop: OwnLoop) -> None:
        self._loop = loop
        self._begin()

    def play(self, plan: OrderPlan) -> None:
        """Raise AssertionError with all that was wrong. What hung is tried again: the server may have."""
        try:
            played = self._play(plan)
        except TimeoutError:
            played = self._play(plan)
        world, result, videos = played
        found = complaints(world, result, videos)
        assert not found, "\n".join([*found, " ".join(world.calls)])

    def end(self) -> None:
        self._loop.run(self._running.aclose())
        self._loop.run(asyncio.sleep(_LETTING_GO_SECONDS))

    def _begin(self) -> None:
        self._running = AsyncExitStack()
        self._stage = self._loop.run(self._running.enter_async_context(order_stage()))

    def _play(self, plan: OrderPlan) -> Played:
        try:
            return self._loop.run(self._stage.play(plan))
        except (TimeoutError, StageLost):
            self.end()
            self._begin()
            raise


@contextmanager
def _player() -> Iterator[Callable[[OrderPlan], None]]:
    with own_loop() as loop:
        servers = _Servers(loop)
        try:
            yield servers.play
        finally:
            servers.end()
