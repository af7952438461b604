"""doctor's look at the logins that only a few commands use: the owner's, and the backup's."""

from typing import Final

from admin.findings import Finding, ok, wrong
from admin.tools import Tools
from serving import NotYet, reach_database
from settings import Settings
from store.database import UNAVAILABLE_ERRORS, WRONG_SCHEMA_ERRORS, Database, DatabaseUnavailable
from store.health import Health, Instance
from store.migrate import login_of, owns_tables
from store.replicating import CannotReplicate, replicated_system

_OWNER: Final = "DATABASE_OWNER_URL"
_BACKUP: Final = "BACKUP_DATABASE_URL"
_SAME: Final = "set both addresses to the same PostgreSQL and database"


async def examine_owner(tools: Tools) -> list[Finding]:
    url = tools.settings.database_owner_url.get_secret_value()
    if not url:
        return []
    try:
        database = await Database.connect(url, connections_max=1)
    except DatabaseUnavailable as error:
        return [wrong(_OWNER, f"cannot be used: {error}", "are its host, user and password right?")]
    try:
        return [
            await _owner(
                database, login_of(url) or "the default login", await _programs_instance(tools.settings)
            )
        ]
    except UNAVAILABLE_ERRORS as lost:
        return [wrong(_OWNER, f"went away meanwhile ({type(lost).__name__})", "look into PostgreSQL's log")]
    finally:
        await database.close()


async def _owner(database: Database, login: str, programs: Instance | None) -> Finding:
    instance = await Health(database).instance()
    if programs is not None and instance != programs:
        return wrong(_OWNER, f"is another database ({instance.database}) than DATABASE_URL's", _SAME)
    try:
        may_migrate = await owns_tables(database)
    except WRONG_SCHEMA_ERRORS:
        return ok(_OWNER, f"{login} logs in; there are no tables yet")
    if not may_migrate:
        return wrong(_OWNER, f"{login} does not own the tables, and cannot migrate", "set the owner's login")
    return ok(_OWNER, f"{login} owns the tables, and may migrate")


async def examine_backup_login(tools: Tools) -> list[Finding]:
    url = tools.settings.backup_database_url.get_secret_value()
    if not url:
        return []
    try:
        system_id = await replicated_system(url)
    except CannotReplicate as refused:
        do = f"needs a login with REPLICATION, and a line for it in pg_hba.conf: is {_BACKUP} right?"
        return [wrong(_BACKUP, f"may not replicate: {refused}", do)]
    programs = await _programs_instance(tools.settings)
    if programs is not None and system_id != programs.system_id:
        return [wrong(_BACKUP, "is another PostgreSQL than DATABASE_URL's: the wrong one is kept", _SAME)]
    return [ok(_BACKUP, f"{login_of(url) or 'the default login'} may replicate")]


async def _programs_instance(settings: Settings) -> Instance | None:
    """None where DATABASE_URL cannot be used: that is a finding of its own."""
    try:
        database = await reach_database(settings)
    except NotYet:
        return None
    try:
        return await Health(database).instance()
    except UNAVAILABLE_ERRORS:
        return None
    finally:
        await database.close()
