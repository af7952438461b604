"""What is looked at once before a program serves: what would go wrong later, and be hard to understand."""

import asyncio
import errno
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Final

from clients.media import folder_of
from domain.clock import Clock
from serving import CannotStart
from settings import Settings
from store.database import UNAVAILABLE_ERRORS, Database

CLOCK_DIFFERENCE_MAX: Final = timedelta(seconds=60)
PROBE_BYTES: Final = 1_000_000
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


async def check_clock(database: Database, clock: Clock) -> None:
    """Deadlines and leases are written by one machine and read by another. Raise CannotStart."""
    asked_at = clock()
    try:
        database_time = await database.time()
    except UNAVAILABLE_ERRORS:
        return  # whoever waits for it next says so
    late = database_time - asked_at - (clock() - asked_at) / 2
    if abs(late) > CLOCK_DIFFERENCE_MAX:
        side = "behind" if late > timedelta() else "ahead of"
        raise CannotStart(
            f"the clock of this machine is {abs(late).total_seconds():.0f} s {side} PostgreSQL's:"
            " set the wrong one right (timedatectl set-ntp true), then start again"
        )


async def check_media(settings: Settings) -> None:
    """A folder that cannot be written now loses every video later; raise CannotStart."""
    folder = folder_of(settings.media_url)
    if folder is None:
        return
    try:
        await asyncio.to_thread(_write_something, folder)
    except OSError as error:
        raise CannotStart(f"MEDIA_URL: {folder} {_why_not(error)}") from None


def _write_something(folder: Path) -> None:
    """As much as a photo: a full disk still takes an empty file."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(os.urandom(PROBE_BYTES))
        file.flush()
        os.fsync(file.fileno())


def _why_not(error: OSError) -> str:
    if error.errno in _FULL:
        return f"takes no more files ({error.strerror}): free some space, or name another place"
    return f"cannot be written ({error.strerror}): give the user of this program the right to"
