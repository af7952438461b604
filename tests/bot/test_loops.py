"""What goes on for ever says once that the database is away, and once that it is back."""

import asyncio

from structlog.testing import capture_logs

from bot.loops import forever
from store.database import DatabaseUnavailable


async def test_an_outage_is_two_lines_however_many_rounds_it_takes() -> None:
    rounds = 0
    over = asyncio.Event()

    async def step() -> None:
        nonlocal rounds
        rounds += 1
        if rounds <= 50:
            raise DatabaseUnavailable("nobody listens there")
        over.set()

    with capture_logs() as lines:
        loop = asyncio.create_task(forever("sweeper", step, 0.001))
        await asyncio.wait_for(over.wait(), 10)
        await asyncio.sleep(0.05)
        loop.cancel()
    assert [line["event"] for line in lines] == ["database is away", "database is back"]
    assert lines[1]["rounds"] == 50


async def test_a_bug_is_logged_each_time() -> None:
    rounds, enough = 0, asyncio.Event()

    async def step() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 4:
            enough.set()
        raise KeyError("a bug")

    with capture_logs() as lines:
        loop = asyncio.create_task(forever("sweeper", step, 0.001))
        await asyncio.wait_for(enough.wait(), 10)
        loop.cancel()
    assert len(lines) >= 3, "of each round that is over"
    assert {line["event"] for line in lines} == {"round failed"}
