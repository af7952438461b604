"""All tables, as digests: what changed, and what did not."""

import asyncio
import hashlib
from collections.abc import Sequence

from local.postgres import BIN_DIR
from store.database import Database


async def digests(database: Database, but: Sequence[str] = ()) -> dict[str, str]:
    async with database.connection() as connection:
        names = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        found = {}
        for name in sorted(row["tablename"] for row in names):
            if name in but or name.startswith(("_yoyo", "yoyo")):
                continue
            rows = await connection.fetch(f"select t::text as line from {name} t order by 1")  # noqa: S608 - our own tables
            found[name] = hashlib.sha256("\n".join(row["line"] for row in rows).encode()).hexdigest()
    return found


async def dump(owner_url: str) -> bytes:
    """As an operator backs it up."""
    process = await asyncio.create_subprocess_exec(
        BIN_DIR / "pg_dump", "--inserts", owner_url, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said
