"""The backup: WAL as it is written, a base backup every day, a restore test every week."""

import asyncio
import sys
from contextlib import AsyncExitStack

import structlog

from backups.keeper import Keeper, OtherInstance
from backups.places import CannotKeep, open_places
from domain.clock import utc_now
from serving import (
    EXIT_FAILED,
    CannotStart,
    Stop,
    await_database,
    prepare_ready_file,
    run_program,
    say_ready,
    set_up_metrics,
)
from settings import Settings, load_settings, require
from starting import check_clock

log = structlog.get_logger("backup")


def load_backup_settings() -> Settings:
    settings = load_settings()
    require(settings, "BACKUP_URL")
    return settings


async def serve(settings: Settings, stop: Stop) -> int:
    prepare_ready_file(settings)
    set_up_metrics(settings, "backup")
    try:
        places = open_places(settings)
    except CannotKeep as missing:
        raise CannotStart(str(missing)) from None
    async with AsyncExitStack() as stack:
        database = await await_database(settings, stop)
        stack.push_async_callback(database.close)
        await check_clock(database, utc_now)
        running = asyncio.create_task(Keeper(places, database, utc_now).run(settings.time_scale))
        stopping = asyncio.create_task(stop.wait())
        say_ready(settings, "backup")
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if running.done():
            if isinstance(other := running.exception(), OtherInstance):
                raise CannotStart(str(other))
            log.error("backup cannot go on", exc_info=running.exception())
            return EXIT_FAILED
        running.cancel()
        await asyncio.wait([running])
    return 0


if __name__ == "__main__":
    sys.exit(run_program(serve, load_backup_settings))
