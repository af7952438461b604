"""Figures of everybody that need not be asked for at every tap."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

_KEPT_SECONDS: Final = 2.0

ValueT = TypeVar("ValueT")


class Recent:
    """Who comes while a value is read, or soon after it was, gets that one."""

    def __init__(self, seconds: float = _KEPT_SECONDS) -> None:
        self._seconds = seconds
        self._values: dict[str, tuple[float, Any]] = {}
        self._reading = asyncio.Lock()

    async def get(self, name: str, read: Callable[[], Awaitable[ValueT]]) -> ValueT:
        async with self._reading:
            now = asyncio.get_running_loop().time()
            read_at, value = self._values.get(name, (float("-inf"), None))
            if now - read_at >= self._seconds:
                value = await read()
                self._values[name] = (now, value)
            known: ValueT = value
            return known
