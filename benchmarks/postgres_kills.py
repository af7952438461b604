"""PostgreSQL killed again and again under writes: `python -m benchmarks.postgres_kills [kills]`.

Writers grant credits and place orders through the store, as the programs do; what was answered to them is
acknowledged. Every process of the server is killed with -9, whatever it is doing. Afterwards everything that
was acknowledged is there, each of it once, and every wallet equals its entries.
"""

import asyncio
import logging
import random
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import asyncpg
import psutil

from benchmarks.machine import BusyMeter, console, facts
from domain import ids
from domain.shop import ShopRules
from local.postgres import PROGRAM_LOGIN, PostgresServer
from store.database import UNAVAILABLE_ERRORS, Database, DatabaseUnavailable
from store.migrate import migrate
from store.orders import PlacementKind
from tests.store.order_rows import Rows, rows_of
from tests.stories.player import throw_away_folder

KILLS = 100
WRITERS = 8
DATABASE = "kills"
UP_SECONDS = (0.05, 0.6)  # how long it lives before the next kill
_RULES = ShopRules(open_orders_max=10**6, orders_per_day_max=10**6)
_AWAY = (*UNAVAILABLE_ERRORS, DatabaseUnavailable, asyncpg.PostgresError)

_LOST_GRANTS = """
    select count(*) from unnest($1::text[]) as given (cause)
    where (select count(*) from credit_entries e where e.cause = given.cause) <> 1
"""
_LOST_ORDERS = """
    select count(*) from unnest($1::text[]) as given (id)
    where not exists (select 1 from orders o where o.id = given.id)
       or (select count(*) from videos v where v.order_id = given.id) <> 2
       or (select count(*) from credit_entries e where e.cause = 'reserve:' || given.id) <> 1
"""
_WRONG_WALLETS = """
    select count(*) from (
        select w.user_id from wallets w left join credit_entries e using (user_id)
        group by w.user_id, w.available, w.reserved
        having w.available <> coalesce(sum(e.available_delta), 0)
            or w.reserved <> coalesce(sum(e.reserved_delta), 0)
    ) as wrong
"""


@dataclass
class Acknowledged:
    """By their causes and ids; `unanswered` may have happened or not."""

    grants: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    unanswered: int = 0


async def main(kills: int = KILLS) -> None:
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)  # a pool without its server says so every time
    console.print(facts())
    meter = BusyMeter()
    with throw_away_folder() as folder:
        server = PostgresServer(folder / "postgres")
        await server.start()
        await server.create_database(DATABASE)
        await migrate(server.url(DATABASE), PROGRAM_LOGIN)
        acknowledged = Acknowledged()
        writers = [
            asyncio.create_task(write(server, acknowledged, number)) for number in range(1, WRITERS + 1)
        ]
        try:
            for _ in range(kills):
                await asyncio.sleep(random.uniform(*UP_SECONDS))  # noqa: S311 - no cryptography
                await kill_all(server)
                await server.start()
        finally:
            for writer in writers:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)
        wrong = await lost(server, acknowledged)
        await server.stop()
    console.print(
        f"{kills} kills; acknowledged: {len(acknowledged.grants)} grants, {len(acknowledged.orders)} orders; "
        f"{acknowledged.unanswered} writes cut off; {meter.told()}"
    )
    console.print(f"lost or doubled: {wrong}; goal 0")
    assert not any(wrong.values())


async def kill_all(server: PostgresServer) -> None:
    """The server and its children, so that nobody has time for a last word."""
    postmaster = psutil.Process(server.child.pid)
    postmaster.suspend()  # or it would have another child meanwhile
    processes = [*postmaster.children(recursive=True), postmaster]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    await server.child.wait()
    await asyncio.to_thread(psutil.wait_procs, processes, 10)


async def write(server: PostgresServer, acknowledged: Acknowledged, tg_user_id: int) -> None:
    """One user's writes, one after another, on a pool that comes back with the server."""
    for number in count():
        try:
            database = await Database.connect(server.program_url(DATABASE), connections_max=2)
        except _AWAY:
            await asyncio.sleep(0.05)
            continue
        try:
            await write_until_cut_off(rows_of(database), acknowledged, tg_user_id, number)
        except _AWAY:
            acknowledged.unanswered += 1
        with suppress(*_AWAY):
            await asyncio.wait_for(database.close(), 2)


async def write_until_cut_off(
    rows: Rows, acknowledged: Acknowledged, tg_user_id: int, connection: int
) -> None:
    for number in count():
        grant_id = f"{tg_user_id}-{connection}-{number}"
        await rows.ledger.grant(tg_user_id, 5, "written down", grant_id)
        acknowledged.grants.append(ids.grant_cause(grant_id))
        placed = await rows.orders.place(await rows.draft(tg_user_id, 2), tg_user_id, rules=_RULES)
        if placed.kind is PlacementKind.PLACED:
            acknowledged.orders.append(placed.order_id)


async def lost(server: PostgresServer, acknowledged: Acknowledged) -> dict[str, int]:
    connection = await asyncpg.connect(server.url(DATABASE))
    try:
        return {
            "grants": await connection.fetchval(_LOST_GRANTS, acknowledged.grants),
            "orders": await connection.fetchval(_LOST_ORDERS, acknowledged.orders),
            "wallets": await connection.fetchval(_WRONG_WALLETS),
        }
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
