"""Reserve and settle per second on a durable PostgreSQL: `python -m benchmarks.ledger [connections]`.

`ledger` is the ledger alone: a transaction that reserves a price, and one that captures or refunds it.
`tap and settlement` is all that the product writes for one video: the tap on Generate (order, video and
reservation together), and the end (video, order, queue and settlement together). The drafts are there before
the clock starts. The program that calls shares the machine with the server.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

from benchmarks.machine import BusyMeter, console, facts
from domain import ids
from domain.clock import utc_now
from domain.orders import VideoState
from domain.shop import ShopRules
from local.postgres import PROGRAM_LOGIN, PostgresServer
from store.database import Database
from store.ledger import Ledger
from store.migrate import migrate
from store.orders import Orders, PlacementKind
from store.videos import Videos

DATABASE: Final = "ledger"
CONNECTIONS: Final = 100
RUNS: Final = 5
USERS: Final = 1_000
PAIRS_MANY: Final = 2_000
PAIRS_HOT: Final = 400
MANY_GOAL: Final = 500
HOT_GOAL: Final = 50
_NO_LIMITS: Final = ShopRules(open_orders_max=1_000_000, orders_per_day_max=1_000_000)
_CREDITS: Final = 1_000_000

_USERS: Final = """
with someone as (
    insert into users (tg_user_id, created_at) select n, $2 from generate_series(1, $1::int) n returning id
), granted as (
    insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, available_after,
                                reserved_after, created_at)
    select id, 'grant', $3, 0, 'grant:' || id, $3, 0, $2 from someone
)
insert into wallets (user_id, available) select id, $3 from someone
"""
_DRAFTS: Final = """
insert into drafts (id, user_id, origin, template, photo_file_id, photo_unique_id, video_count, price_credits,
                    language, created_at)
select given.id, 1 + (given.place - 1) % $2, 'dialog', 'ugc', 'f', 'u', 1, 1, 'en', $3
from unnest($1::text[]) with ordinality as given (id, place)
"""


Pair = Callable[[str, int, bool], Awaitable[None]]
"""Draft, user, and whether it ends with a capture."""


def ledger_alone(database: Database) -> Pair:
    ledger = Ledger(database, utc_now)

    async def pair(draft_id: str, user_id: int, captured: bool) -> None:  # noqa: FBT001 - see Pair
        async with database.transaction() as connection:
            assert await ledger.reserve(connection, user_id, draft_id, 1)
        async with database.transaction() as connection:
            video_id = ids.video_id(draft_id, 1)
            await ledger.settle(connection, user_id, video_id, 1, captured=captured)

    return pair


def tap_and_settlement(database: Database) -> Pair:
    ledger = Ledger(database, utc_now)
    orders = Orders(database, ledger, utc_now, timedelta(hours=1))
    videos = Videos(database, ledger, utc_now)

    async def pair(draft_id: str, user_id: int, captured: bool) -> None:  # noqa: FBT001 - see Pair
        placed = await orders.place(draft_id, user_id, rules=_NO_LIMITS)
        assert placed.kind is PlacementKind.PLACED, placed
        state = VideoState.DELIVERED if captured else VideoState.FAILED
        assert (await videos.settle(ids.video_id(draft_id, 1), state)).won

    return pair


async def main(connections: int = CONNECTIONS) -> None:
    console.print(facts())
    with tempfile.TemporaryDirectory(prefix="nc-") as folder:
        server = PostgresServer(Path(folder) / "postgres", durable=True)
        await server.start()
        try:
            await server.create_database(DATABASE)
            await migrate(server.url(DATABASE), PROGRAM_LOGIN)
            await measure(server.program_url(DATABASE), connections)
        finally:
            await server.stop()


async def measure(url: str, connections: int) -> None:
    database = await Database.connect(url, connections)
    async with database.connection() as connection:
        await connection.execute(_USERS, USERS, datetime.now(UTC), _CREDITS)
    for name, pair in (
        ("ledger", ledger_alone(database)),
        ("tap and settlement", tap_and_settlement(database)),
    ):
        await run(database, pair, connections, USERS, connections)  # connects, and prepares the statements
        many = [await run(database, pair, connections, USERS, PAIRS_MANY) for _ in range(RUNS)]
        report(f"{name}, {USERS} users", many, MANY_GOAL)
        hot = [await run(database, pair, connections, 1, PAIRS_HOT) for _ in range(RUNS)]
        report(f"{name}, one user", hot, HOT_GOAL)
    await database.close()


@dataclass(frozen=True)
class Run:
    pairs_per_second: float
    longest_seconds: float
    busy: str


async def run(database: Database, pair: Pair, connections: int, users: int, pairs: int) -> Run:
    drafts = [ids.new_draft_id() for _ in range(pairs)]
    async with database.connection() as connection:
        await connection.execute(_DRAFTS, drafts, users, datetime.now(UTC))
    waiting, seconds, busy = iter(enumerate(drafts)), [], BusyMeter()

    async def buy() -> None:
        for number, draft_id in waiting:
            started = perf_counter()
            await pair(draft_id, 1 + number % users, number % 2 == 0)
            seconds.append(perf_counter() - started)

    started = perf_counter()
    await asyncio.gather(*(buy() for _ in range(connections)))
    return Run(pairs / (perf_counter() - started), max(seconds), busy.told())


def report(name: str, runs: Sequence[Run], goal: int) -> None:
    rates = [each.pairs_per_second for each in runs]
    longest = max(each.longest_seconds for each in runs)
    console.print(
        f"{name}: {statistics.median(rates):.0f} pairs per second (median of {len(rates)}, from "
        f"{min(rates):.0f} to {max(rates):.0f}), goal {goal}; longest pair {longest:.2f} s; {runs[-1].busy}"
    )


if __name__ == "__main__":
    asyncio.run(main(*(int(argument) for argument in sys.argv[1:2])))
