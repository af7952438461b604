"""A running system put back to an earlier moment, as an operator does it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from backups.keeping import Kept
from backups.programs import Server
from backups.restoring import Restored, find_plan, restore_into
from backups.taking import take_base_backup
from clients.backups import BackupStorage
from domain.clock import utc_now
from local.stack import Stack
from store.database import Database
from store.restores import Restores


async def backed_up(stack: Stack, folder: Path) -> BackupStorage:
    storage = BackupStorage(folder.as_uri())
    database = await Database.connect(stack.database_url)
    kept = Kept(storage, await Restores(database, utc_now).system_id())
    await database.close()
    await take_base_backup(kept, Server.at(stack.owner_database_url), folder / "work", utc_now)
    return storage


async def put_back(stack: Stack, storage: BackupStorage) -> Restored:
    """PostgreSQL runs again; nobody else of ours does."""
    for program in stack.programs:
        await program.stop()
    owner_url = stack.owner_database_url
    await stack.postgres.stop()
    kept, plan = await find_plan(storage, None)
    restored = await restore_into(stack.postgres.folder / "data", kept, plan, owner_url, utc_now)
    await stack.postgres.start()
    return restored


async def restore(stack: Stack, storage: BackupStorage, meanwhile: Callable[[], Awaitable[None]]) -> Restored:
    restored = await put_back(stack, storage)
    await meanwhile()
    for program in stack.programs:
        await program.start()
    stack.note_children()
    return restored
