"""Backup and restore of a million ledger rows: `python -m benchmarks.backup [rows]`.

A durable PostgreSQL; WAL is received all the time. Measured: the base backup until it is kept, the WAL of a
tenth as many rows until it is kept, and the restore with that WAL until the epoch is raised and the folder is
in its place. All of it on one disk.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime
from typing import Final

from backups.restoring import find_plan, restore_into
from benchmarks.machine import BusyMeter, console, facts
from domain.clock import utc_now
from store.database import Database
from store.invariants import Invariants
from tests.backups.servers import DATABASE, Shop, shop
from tests.backups.test_restoring import shipped

ROWS: Final = 1_000_000
USERS: Final = 10_000
GOAL_SECONDS: Final = 120

_USERS: Final = """
insert into users (tg_user_id, created_at) select n, $2 from generate_series(1, $1::int) n
"""
_WALLETS: Final = "insert into wallets (user_id) select id from users"
_ENTRIES: Final = """
insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, available_after,
                            reserved_after, created_at)
select u.id, 'grant', 1, 0, format('grant:%s-%s', $1::int + n, u.id), $1::int + n, 0, $3
from generate_series(1, $2::int) n cross join users u order by n, u.id
"""
_BALANCES: Final = "update wallets set available = available + $1"


async def main(rows: int = ROWS) -> None:
    console.print(facts())
    async with shop(durable=True) as opened:
        await fill(opened, 0, rows // USERS)
        await opened.receiver.ensure_running()
        (size,) = await opened.server.execute(f"select pg_database_size('{DATABASE}') as bytes")
        console.print(f"{rows:,} ledger rows of {USERS:,} users, {size['bytes'] / 1e6:.0f} MB")
        await measure(opened, rows)


async def fill(opened: Shop, before: int, each: int) -> None:
    owner = await Database.connect(opened.owner_url)
    try:
        async with owner.transaction() as connection:
            if not before:
                await connection.execute(_USERS, USERS, datetime.now(UTC))
                await connection.execute(_WALLETS)
            await connection.execute(_ENTRIES, before, each, datetime.now(UTC), timeout=600)
            await connection.execute(_BALANCES, each)
    finally:
        await owner.close()


async def measure(opened: Shop, rows: int) -> None:
    busy, began = BusyMeter(), time.perf_counter()
    base = await opened.back_up()
    report("backup", time.perf_counter() - began, busy)
    await fill(opened, rows // USERS, rows // USERS // 10)
    busy, began = BusyMeter(), time.perf_counter()
    await shipped(opened)
    report("the WAL of a tenth as many", time.perf_counter() - began, busy)
    await opened.stop()
    busy, began = BusyMeter(), time.perf_counter()
    kept, plan = await find_plan(opened.storage, None)
    await restore_into(opened.data, kept, plan, opened.owner_url, utc_now)
    report(f"restore, with {len(plan.wal)} segments of WAL", time.perf_counter() - began, busy)
    await opened.start_again()
    checked = await Invariants(opened.database, utc_now).check(complete=True, ids_max=1)
    assert not checked.broken
    console.print(f"base backup {base.label}: every row is there, nothing is broken")


def report(what: str, seconds: float, busy: BusyMeter) -> None:
    console.print(f"{what}: {seconds:.1f} s, goal {GOAL_SECONDS} s; {busy.told()}")


if __name__ == "__main__":
    asyncio.run(main(*(int(argument) for argument in sys.argv[1:2])))
