"""`admin_main.py check` by hand."""

import json
from functools import partial

import asyncpg

from store.database import Database
from tests.run.programs import ended
from tests.store.order_rows import rows_of

NOWHERE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}


async def test_it_says_what_is_broken_and_ends_with_1(
    database: Database, database_url: str, owner_url: str
) -> None:
    check = partial(ended, "admin_main.py", "check", settings={"DATABASE_URL": database_url})
    user = await rows_of(database).users.register(1, "en")
    first = await check()
    assert (first.code, first.out.splitlines()[0]) == (0, "I1 wallets: 1 looked at, 0 broken")
    assert "nobody has checked" in first.out
    owner = await asyncpg.connect(owner_url)
    await owner.execute("update wallets set available = available + 1")
    broken = await check()
    assert broken.code == 1
    assert broken.out.splitlines()[:2] == [
        "I1 wallets: 1 looked at, 1 broken",
        f"   {user.id}: wallet 4+0, entries 3+0, last entry 3+0",
    ]
    assert "nobody has checked" not in broken.out
    told = json.loads((await check("--complete", "--json")).out)
    assert told["complete"] is True
    assert told["rules"]["I1"] == {"looked_at": 1, "broken": 1, "subjects": [str(user.id)]}
    await owner.execute("update wallets set available = available - 1")
    assert (await check()).code == 0
    await owner.close()


async def test_without_a_database_it_says_so() -> None:
    end = await ended("admin_main.py", "check", settings=NOWHERE)
    assert (end.code, end.out) == (1, "")
    assert end.err.startswith("cannot go on without PostgreSQL")
