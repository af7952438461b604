"""What a database that goes away looks like to whoever is using it."""

import asyncio
import time

import asyncpg
import pytest

from store.database import UNAVAILABLE_ERRORS, Database


@pytest.mark.parametrize("turns", range(3))
async def test_a_session_that_the_server_ended_counts_as_unreachable(
    database: Database, owner_url: str, turns: int
) -> None:
    """asyncpg fails in another way each time, as far as it has heard of the end."""
    owner = await asyncpg.connect(owner_url)
    async with database.connection() as connection:
        session = await connection.fetchval("select pg_backend_pid()")
        await owner.execute("select pg_terminate_backend($1)", session)
        time.sleep(0.05)  # noqa: ASYNC251 - the word of it arrives, and the loop has not read it
        for _ in range(turns):
            await asyncio.sleep(0)
        with pytest.raises(UNAVAILABLE_ERRORS):
            await connection.fetch("select 1")
    await owner.close()
