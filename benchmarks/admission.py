"""Admissions per second on one machine, with a month of history and a full queue.

Not part of the tests: `python -m benchmarks.admission [videos]`.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

from domain.admission import AdmissionLimits
from domain.clock import utc_now
from domain.keys import KeyRef
from local.postgres import PROGRAM_LOGIN, PostgresServer
from store.admission import Admission, Granted
from store.database import Database
from store.migrate import migrate

DATABASE: Final = "admission"
PROCESSES: Final = 4
OLD_ATTEMPTS: Final = 30_000
VIDEOS: Final = 1_000
KEYS: Final = tuple(KeyRef(f"key{n}", f"account{n}") for n in range(10))
MODELS: Final = ("kling-2.6/image-to-video",)
NO_LIMITS: Final = AdmissionLimits(creates_per_window=1_000_000, in_flight_max=1_000_000)

_ORDERS: Final = """
with someone as (
    insert into users (tg_user_id, created_at)
    select n, $3 from generate_series($1::bigint, $2) n returning id
), draft as (
    insert into drafts (id, user_id, origin, template, photo_file_id, photo_unique_id, video_count,
                        price_credits, language, created_at)
    select 'o' || id, id, 'dialog', 'ugc', 'f', 'u', 1, 1, 'en', $3 from someone returning id, user_id
), bought as (
    insert into orders (id, user_id, video_count, price_credits, language, photo_width, photo_height,
                        created_at, deadline_at)
    select id, user_id, 1, 1, 'en', 800, 800, $3, $3 + interval '1 day' from draft returning id, user_id
)
insert into videos (id, order_id, user_id, number, price_credits, script, deadline_at)
select id || '-v1', id, user_id, 1, 1, 'A mug turns.', $3 + interval '1 day' from bought returning id
"""
_OLD_ATTEMPTS: Final = """
insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state, task_state,
                      kie_task_id, admitted_at, sent_at, ended_at)
select v.id || '-a1', v.id, v.user_id, 1, 'm', 'account' || v.user_id % 10, 'key' || v.user_id % 10,
       'ACCEPTED', 'SUCCESS', 't' || v.id, $1, $1, $1
from videos v
"""


async def main() -> None:
    videos = int(sys.argv[1]) if len(sys.argv) > 1 else VIDEOS
    with tempfile.TemporaryDirectory(prefix="nc-") as folder:
        server = PostgresServer(Path(folder) / "postgres", durable=True)
        await server.start()
        try:
            await server.create_database(DATABASE)
            await migrate(server.url(DATABASE), PROGRAM_LOGIN)
            await measure(server.program_url(DATABASE), videos)
        finally:
            await server.stop()


async def measure(url: str, videos: int) -> None:
    databases = [await Database.connect(url) for _ in range(PROCESSES)]
    waiting = await prepare(databases[0], videos)
    granted = await requests("free accounts", databases, NO_LIMITS, waiting[:videos])
    assert granted == videos
    granted = await requests("full accounts", databases, AdmissionLimits(in_flight_max=1), waiting[videos:])
    assert granted == 0
    started = perf_counter()
    grants = await Admission(databases[0], utc_now, KEYS, MODELS, NO_LIMITS).grant_waiting()
    print(f"grant_waiting: {len(grants)} of {videos} in {perf_counter() - started:.2f} s")
    for database in databases:
        await database.close()


async def prepare(database: Database, videos: int) -> list[str]:
    """Videos of as many users; those before them have been made already."""
    async with database.connection() as connection:
        await connection.execute("set statement_timeout = 0")
        await connection.fetch(_ORDERS, 1, OLD_ATTEMPTS, datetime.now(UTC))
        await connection.execute(_OLD_ATTEMPTS, datetime.now(UTC) - timedelta(hours=1))
        rows = await connection.fetch(_ORDERS, OLD_ATTEMPTS + 1, OLD_ATTEMPTS + 2 * videos, datetime.now(UTC))
        await connection.execute("analyze")
    return [row["id"] for row in rows]


async def requests(
    name: str, databases: Sequence[Database], limits: AdmissionLimits, video_ids: Sequence[str]
) -> int:
    """Like workers: as many connections at once as their pools have."""
    admissions = [Admission(database, utc_now, KEYS, MODELS, limits) for database in databases]
    started = perf_counter()
    answers = await asyncio.gather(
        *(admissions[n % PROCESSES].request(video_id) for n, video_id in enumerate(video_ids))
    )
    seconds = perf_counter() - started
    print(f"{name}: {len(answers)} requests in {seconds:.2f} s, {len(answers) / seconds:.0f} per second")
    return sum(isinstance(answer, Granted) for answer in answers)


if __name__ == "__main__":
    asyncio.run(main())
