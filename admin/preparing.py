"""migrate and setup: the database and Temporal as this version needs them."""

from collections.abc import Sequence
from dataclasses import dataclass

import typer

from admin.console import AsJson, Refused, say, show_json
from admin.tools import Tools, run
from serving import reach_database, reach_temporal
from settings import Settings
from store.database import Database
from store.migrate import CannotMigrate, login_of, migrate, missing_migrations, owns_tables
from workflows.namespace import prepare_namespace
from workflows.start import ensure_schedules

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Migrated:
    applied: int
    login_owns_tables: bool


@app.command(name="migrate")
def migrate_command(*, as_json: AsJson = False) -> None:
    """Bring the database up to date. Repeatable; waits for a server that is not there yet."""
    run(lambda tools: _migrate(tools, as_json=as_json))


@app.command()
def setup(*, as_json: AsJson = False) -> None:
    """Bring the database and Temporal up to date. Repeatable; waits for servers that are not there yet."""
    run(lambda tools: _setup(tools, as_json=as_json))


async def _migrate(tools: Tools, *, as_json: bool) -> None:
    migrated = await _migrated(tools, silent=as_json)
    if as_json:
        show_json({"database": migrated})


async def _setup(tools: Tools, *, as_json: bool) -> None:
    migrated = await _migrated(tools, silent=as_json)
    patience_seconds = tools.settings.start_wait_seconds
    client = await tools.stop.until_ready(lambda: reach_temporal(tools.settings), patience_seconds)
    done = await prepare_namespace(client)
    await ensure_schedules(client, tools.settings.time_scale)
    if as_json:
        show_json({"database": migrated, "temporal": done})
    else:
        say(f"Temporal: {', '.join(done) or 'up to date'}")


async def _migrated(tools: Tools, *, silent: bool) -> Migrated:
    """Said at once: Temporal may be waited for."""
    patience_seconds = tools.settings.start_wait_seconds
    database = await tools.stop.until_ready(lambda: reach_database(tools.settings), patience_seconds)
    try:
        tools.may_change()
        applied = await _applied(tools.settings, database)
        migrated = Migrated(applied, await owns_tables(database))
    finally:
        await database.close()
    if not silent:
        _tell(migrated)
    return migrated


async def _applied(settings: Settings, database: Database) -> int:
    """The programs' login has no right to change the tables, and no need to where nothing is pending."""
    missing = await missing_migrations(database)
    if not missing and not settings.database_owner_url:
        return 0
    try:
        return await migrate(*_migration_logins(settings))
    except CannotMigrate as error:
        raise Refused(_why_not(settings, missing, error)) from None


def _why_not(settings: Settings, missing: Sequence[str], error: CannotMigrate) -> str:
    if settings.database_owner_url:
        return f"the login of DATABASE_OWNER_URL cannot change the tables: {error}"
    return (
        f"the login of DATABASE_URL cannot change the tables ({error}), and {', '.join(missing)} is to be"
        " applied: set DATABASE_OWNER_URL to the login that owns them"
    )


def _tell(migrated: Migrated) -> None:
    say(f"database: migrations applied: {migrated.applied}" if migrated.applied else "database: up to date")
    if migrated.login_owns_tables:
        say("database: DATABASE_URL may change the tables and the ledger; see DATABASE_OWNER_URL")


def _migration_logins(settings: Settings) -> tuple[str, str]:
    """The owner's address, and the login that the programs use; one login may be both."""
    program_url = settings.database_url.get_secret_value()
    return settings.database_owner_url.get_secret_value() or program_url, login_of(program_url)
