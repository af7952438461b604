"""Hypothesis calls plain functions: asynchronous code runs on a loop of their own between its draws."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class OwnLoop:
    """Never the thread's current loop, which belongs to the tests that are coroutines themselves."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def run(self, coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
        return self._loop.run_until_complete(coroutine)

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@contextmanager
def own_loop() -> Iterator[OwnLoop]:
    loop = OwnLoop()
    try:
        yield loop
    finally:
        loop.close()
