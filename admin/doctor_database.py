"""doctor's look at PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Final

from admin.doctor_chores import of_chores
from admin.findings import Finding, ok, warning, wrong
from admin.tools import Tools
from domain.clock import utc_now
from serving import NotYet, reach_database
from store.database import UNAVAILABLE_ERRORS, Database
from store.health import Health, ServerFacts
from store.migrate import login_of, missing_migrations, owns_tables, unusable_tables

_WHAT: Final = "PostgreSQL"
_REACH: Final = (
    "is it running, and is DATABASE_URL right? Beside make run: ENV_FILE=.data/env before the command"
)
_CLOCK_OFF: Final = timedelta(seconds=2)
_CLOCK_WRONG: Final = timedelta(seconds=30)
_CONNECTIONS_LEFT_MIN: Final = 20  # five processes


async def examine_database(tools: Tools) -> list[Finding]:
    try:
        database = await reach_database(tools.settings)
    except NotYet as missing:
        return [wrong(_WHAT, f"cannot be reached: {missing}", _REACH)]
    try:
        return [finding async for finding in _examine(tools, database)]
    except UNAVAILABLE_ERRORS as lost:
        return [wrong(_WHAT, f"went away meanwhile ({type(lost).__name__})", "look into its log")]
    finally:
        await database.close()


async def _examine(tools: Tools, database: Database) -> AsyncIterator[Finding]:
    health = Health(database)
    asked_at = utc_now()
    server = await health.server()
    for finding in _of_server(server, asked_at, utc_now()):
        yield finding
    missing = await missing_migrations(database)
    if missing:
        yield wrong("schema", f"lacks {', '.join(missing)}", "run admin_main.py migrate")
        return
    unusable = await unusable_tables(database)
    if unusable:
        do = "is DATABASE_URL the login that setup granted its rights to? is a table lost: restore it"
        yield wrong("tables", f"not there, or closed to this login: {', '.join(unusable)}", do)
        return
    newer = await health.newer_migrations()
    if newer:
        yield warning(
            "schema", f"is newer than this program: {', '.join(newer)}", "run the newer release here, too"
        )
    else:
        yield ok("schema", "as this version needs it")
    async for finding in _of_rows(tools, database, health):
        yield finding


def _of_server(server: ServerFacts, before: datetime, after: datetime) -> Iterator[Finding]:
    size = f"{server.bytes / 2**20:,.0f} MB"
    yield ok(_WHAT, f"{server.version.split()[0]}, database {server.name}, {size}")
    if server.is_standby:
        yield wrong(_WHAT, "is a standby: it takes no writes", "set DATABASE_URL to the primary")
    yield clock_finding(server.clock, before, after)
    left = server.connections_max - server.connections
    said = f"{server.connections} of {server.connections_max} connections in use"
    if left < _CONNECTIONS_LEFT_MIN:
        yield warning("connections", f"{said}: {left} left", "raise max_connections, or run fewer processes")
    else:
        yield ok("connections", f"{said}; a process takes up to 4")


def clock_finding(theirs: datetime, before: datetime, after: datetime) -> Finding:
    """The server read its clock between the two."""
    off = max(before - theirs, theirs - after, timedelta())
    said = f"this machine and PostgreSQL differ by {off.total_seconds():.1f} s"
    if off > _CLOCK_WRONG:
        return wrong("clock", said, "set the clocks by NTP: deadlines and leases are compared between them")
    return warning("clock", said, "set the clocks by NTP") if off > _CLOCK_OFF else ok("clock", said)


async def _of_rows(tools: Tools, database: Database, health: Health) -> AsyncIterator[Finding]:
    login = login_of(tools.settings.database_url.get_secret_value()) or "the default login"
    if await owns_tables(database):
        do = "give DATABASE_URL a login of its own, and the owner's to DATABASE_OWNER_URL"
        yield warning("rights", f"{login} may change tables and the ledger", do)
    else:
        yield ok("rights", f"{login} reads and writes rows, and changes no table")
    epoch = await health.unread_epoch()
    if epoch is not None:
        do = "see restore in the runbook: the bot opens once they are read"
        yield wrong("epoch", f"restored (epoch {epoch}), and payments are not read again yet", do)
    if tools.settings.backup_url:
        for finding in of_chores(await health.chores(), await health.set_up_at(), utc_now()):
            yield finding
