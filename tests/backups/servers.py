"""A PostgreSQL of its own with our tables and a wallet in them, and where its backups are kept."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from backups.keeping import Kept
from backups.programs import Server
from backups.receiving import Receiver, Shipper
from backups.taking import take_base_backup
from clients.backups import BackupStorage
from domain.backups import BaseBackup
from domain.clock import utc_now
from local.postgres import PROGRAM_LOGIN, PostgresServer
from store.database import Database
from store.ledger import Ledger
from store.migrate import migrate
from store.restores import Restores

DATABASE = "neurocards"
USER = 1


@dataclass
class Shop:
    """`server` is started; backups are taken of it by hand."""

    server: PostgresServer
    database: Database
    storage: BackupStorage
    kept: Kept
    receiver: Receiver
    shipper: Shipper
    folder: Path

    @property
    def owner_url(self) -> str:
        return self.server.url(DATABASE)

    @property
    def data(self) -> Path:
        return self.server.folder / "data"

    async def back_up(self) -> BaseBackup:
        return await take_base_backup(self.kept, Server.at(self.owner_url), self.folder / "work", utc_now)

    async def back_up_too_much(self) -> None:
        """For any disk: how large it is unpacked stands in its facts."""
        base = await self.back_up()
        path = self.folder / "kept" / self.kept.key_of(base, "backup.json")
        path.write_text(path.read_text().replace(f'"bytes": {base.bytes}', f'"bytes": {1 << 60}'))

    async def grant(self, grant_id: str) -> int:
        ledger = Ledger(self.database, utc_now)
        return (await ledger.grant(USER, 1, "for the test", grant_id)).available

    async def stop(self) -> None:
        await self.receiver.stop()
        await self.database.close()
        await self.server.stop()

    async def start_again(self) -> None:
        """On what stands in the data folder now."""
        await self.server.start()
        self.database = await Database.connect(self.server.program_url(DATABASE))


@asynccontextmanager
async def shop(*, durable: bool = False) -> AsyncIterator[Shop]:
    """What is written reaches the receiver in either case."""
    folder = Path(tempfile.mkdtemp(prefix="nc-"))
    server = PostgresServer(folder / "postgres", durable=durable)
    await server.start()
    await server.create_database(DATABASE)
    await migrate(server.url(DATABASE), PROGRAM_LOGIN)
    database = await Database.connect(server.program_url(DATABASE))
    storage = BackupStorage(f"file://{folder}/kept")
    kept = Kept(storage, await Restores(database, utc_now).system_id())
    wal = folder / "work" / "wal"
    receiver = Receiver(Server.at(server.url(DATABASE)), wal)
    opened = Shop(server, database, storage, kept, receiver, Shipper(kept, wal), folder)
    try:
        yield opened
    finally:
        await opened.stop()
        shutil.rmtree(folder, ignore_errors=True)
