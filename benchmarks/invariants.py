"""What the check of the invariants costs on a ledger of a million entries.

Not part of the tests: `python -m benchmarks.invariants [users]`; each user has ten entries.
"""

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

import asyncpg
import psutil

from benchmarks.machine import facts
from domain.clock import utc_now
from domain.credits import Entry, EntryKind
from domain.invariants import Checked, Rule
from local.postgres import PROGRAM_LOGIN, PostgresServer
from store.database import Database
from store.invariants import Invariants
from store.ledger import Ledger
from store.migrate import migrate

DATABASE: Final = "invariants"
USERS: Final = 100_000
ORDERS_EACH: Final = 4
MINUTE_OF_A_PEAK: Final = 200  # wallets that change between two checks

_ROWS: Final = (
    "insert into users (tg_user_id, created_at) select n, now() from generate_series(1, $1) n",
    "insert into wallets (user_id, available) select id, 16 from users",
    """insert into drafts (id, user_id, origin, template, photo_file_id, photo_unique_id, video_count,
                           price_credits, language, created_at)
       select 'o' || lpad(n::text, 2, '0') || lpad(u.id::text, 17, '0'), u.id, 'dialog', 'ugc',
              repeat('f', 80), 'u', 1, 1, 'en', now() from generate_series(1, $1) n, users u""",
    """insert into orders (id, user_id, video_count, price_credits, language, state, created_at, deadline_at)
       select id, user_id, 1, 1, 'en', 'CLOSED', now() - interval '90 days', now() from drafts""",
    """insert into videos (id, order_id, user_id, number, price_credits, state, script, deadline_at,
                           closed_at)
       select id || '-v1', id, user_id, 1, 1, 'DELIVERED', repeat('A mug turns. ', 40), now(),
              now() - interval '90 days' from orders""",
    """insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state, task_state,
                             kie_task_id, prompt, raw_answer, admitted_at, sent_at, ended_at)
       select id || '-a1', id, user_id, 1, 'm', 'a', 'k', 'ACCEPTED', 'SUCCESS', 't' || id, script, '', now(),
              now(), now() from videos""",
    """insert into payments (charge_id, provider, user_id, package_id, amount, currency, credits, paid_at)
       select 'charge-' || id, 'stars', id, 'p', 50, 'XTR', 10, now() from users""",
    """insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, available_after,
                                   reserved_after, created_at)
       select id, 'welcome', 10, 0, 'welcome:' || id, 10, 0, now() from users""",
    """insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, charge_id,
                                   available_after, reserved_after, created_at)
       select user_id, 'purchase', credits, 0, 'purchase:' || charge_id, charge_id, 20, 0, now()
       from payments""",
    """insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, order_id, video_id,
                                   available_after, reserved_after, created_at)
       select o.user_id, k.kind, k.available, k.reserved,
              case k.kind when 'reserve' then 'reserve:' || o.id else 'settle:' || o.id || '-v1' end,
              case k.kind when 'reserve' then o.id end, case k.kind when 'capture' then o.id || '-v1' end,
              20 - substr(o.id, 2, 2)::int, case k.kind when 'reserve' then 1 else 0 end, now()
       from orders o, (values ('reserve', -1, 1), ('capture', 0, -1)) k (kind, available, reserved)
       order by o.id, k.kind desc""",
)

_SIZES: Final = """
select relname || ' ' || pg_size_pretty(pg_relation_size(oid)) as size from pg_class
where relname in ('credit_entries', 'wallets', 'videos', 'attempts', 'payments')
"""


@dataclass(frozen=True)
class Bench:
    invariants: Invariants
    server: psutil.Process

    async def timed(self, name: str, *, complete: bool = False) -> Checked:
        """On a shared machine the processor's own time says more than the clock."""
        started, before = perf_counter(), self._cpu_seconds()
        checked = await self.invariants.check(complete=complete, ids_max=5)
        milliseconds = 1_000 * (perf_counter() - started)
        cpu = 1_000 * (self._cpu_seconds() - before)
        rows = list(checked.rows.values())
        print(f"{name}: {milliseconds:.0f} ms, processor {cpu:.0f} ms, rows {rows}")
        return checked

    def _cpu_seconds(self) -> float:
        times = [each.cpu_times() for each in self.server.children(recursive=True)]
        return float(sum(each.user + each.system for each in times))


async def main() -> None:
    users = int(sys.argv[1]) if len(sys.argv) > 1 else USERS
    with tempfile.TemporaryDirectory(prefix="nc-") as folder:
        server = PostgresServer(Path(folder) / "postgres", durable=True)
        await server.start()
        try:
            await server.create_database(DATABASE)
            await migrate(server.url(DATABASE), PROGRAM_LOGIN)
            await fill(server.url(DATABASE), users)
            await measure(server, users)
        finally:
            await server.stop()


async def fill(url: str, users: int) -> None:
    connection = await asyncpg.connect(url)
    for statement in _ROWS:
        counts = {"insert into users": users, "insert into drafts": ORDERS_EACH}
        counted = [count for start, count in counts.items() if statement.startswith(start)]
        await connection.execute(statement, *counted)
    await connection.execute("vacuum analyze")
    await connection.close()


async def measure(server: PostgresServer, users: int) -> None:
    database = await Database.connect(server.program_url(DATABASE))
    bench = Bench(Invariants(database, utc_now), psutil.Process(server.child.pid))
    print(facts())
    async with database.connection() as connection:
        print(", ".join(row["size"] for row in await connection.fetch(_SIZES)))
    await bench.timed("first")
    for number in range(3):
        await bench.timed(f"incremental, nothing new, {number + 1}")
    for number in range(3):
        await change(database, users, number)
        await bench.timed(f"incremental, {MINUTE_OF_A_PEAK} wallets changed, {number + 1}")
    await bench.timed("complete", complete=True)
    await corrupt(server.url(DATABASE))
    found = await bench.timed("incremental after five old rows were corrupted")
    assert {rule: found.broken_count(rule) for rule in Rule} == dict.fromkeys(Rule, 1), found.broken
    await database.close()


async def change(database: Database, users: int, number: int) -> None:
    ledger = Ledger(database, utc_now)
    for user_id in range(1, users, max(1, users // MINUTE_OF_A_PEAK)):
        async with database.transaction() as connection:
            await ledger.write(
                connection, Entry(user_id, EntryKind.GRANT, f"grant:{user_id}.{number}", 1, note="a present")
            )


async def corrupt(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        """update wallets set available = available + 1 where user_id = 7;
           update videos set state = 'FAILED' where id = (select id from videos where user_id = 8 limit 1);
           update videos set state = 'OPEN', deadline_at = now() - interval '1 day'
           where id = (select id from videos where user_id = 9 limit 1);
           update payments set credits = 11 where user_id = 10;
           update attempts set state = 'AMBIGUOUS', task_state = null
           where id = (select id from attempts where user_id = 11 limit 1)"""
    )
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
