"""One reading serves all who come at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.recent import Recent


def counted(readings: list[int]) -> Callable[[], Awaitable[int]]:
    async def read() -> int:
        readings.append(len(readings))
        await asyncio.sleep(0.01)
        return readings[-1]

    return read


async def test_a_hundred_at_once_read_once() -> None:
    recent, readings = Recent(seconds=60), list[int]()
    assert await asyncio.gather(*(recent.get("a", counted(readings)) for _ in range(100))) == [0] * 100
    assert await recent.get("b", counted(readings)) == 1


async def test_what_is_old_is_read_again_and_a_failed_reading_is_not_kept() -> None:
    recent, readings = Recent(seconds=0.0), list[int]()

    async def broken() -> int:
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        await recent.get("a", broken)
    assert [await recent.get("a", counted(readings)) for _ in range(2)] == [0, 1]
