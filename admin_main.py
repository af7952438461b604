"""The operator's command line."""

import secrets
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import typer

from domain.clock import utc_now
from domain.credits import NotEnoughCredits
from serving import EXIT_FAILED, NotYet, Stop, connect_database, reach_database, reach_temporal, run_program
from settings import Settings
from store.database import Database
from store.ledger import Ledger
from store.migrate import migrate
from workflows.namespace import housekeeping_every, prepare_namespace
from workflows.start import ensure_schedules

CREDITS_MAX: Final = 1_000_000
TG_ID_MAX: Final = 2**52  # Telegram's own promise

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    help=__doc__,
)


@app.command()
def setup() -> None:
    """Bring the database and Temporal up to date. Repeatable; waits for servers that are not there yet."""
    raise typer.Exit(run_program(_setup))


@app.command()
def grant(
    tg_id: Annotated[int, typer.Argument(min=1, max=TG_ID_MAX, help="who gets them")],
    credits: Annotated[int, typer.Argument(help="how many")],  # noqa: A002 - the word of the domain
    reason: Annotated[str, typer.Argument(help="kept with the entry")],
) -> None:
    """Give credits. To take some: grant -- TG_ID -5 REASON."""
    if not credits or abs(credits) > CREDITS_MAX:
        raise typer.BadParameter(f"credits must be between 1 and {CREDITS_MAX:,}, or negative to take some")
    if not reason.strip():
        raise typer.BadParameter("the reason is kept for those who ask later: say one")
    raise typer.Exit(run_program(_on_database(lambda database: _grant(database, tg_id, credits, reason))))


async def _setup(settings: Settings, stop: Stop) -> int:
    database = await stop.until_ready(lambda: reach_database(settings))
    await database.close()
    applied = await migrate(settings.database_url.get_secret_value())
    _say(f"database: migrations applied: {applied}" if applied else "database: up to date")
    client = await stop.until_ready(lambda: reach_temporal(settings))
    done = await prepare_namespace(client)
    await ensure_schedules(client, housekeeping_every(settings.time_scale))
    _say(f"Temporal: {', '.join(done) or 'up to date'}")
    return 0


async def _grant(database: Database, tg_id: int, amount: int, reason: str) -> int:
    ledger = Ledger(database, utc_now)
    try:
        balance = await ledger.grant(tg_id, amount, reason, secrets.token_hex(8))
    except NotEnoughCredits as error:
        return _fail(f"user {tg_id} has only {error.available} credits")
    _say(f"user {tg_id}: {amount:+d}, now {balance.available} available and {balance.reserved} reserved")
    return 0


def _on_database(work: Callable[[Database], Awaitable[int]]) -> Callable[[Settings, Stop], Awaitable[int]]:
    """Somebody sits at the terminal: a missing server is an answer, not something to wait for."""

    async def run(settings: Settings, _: Stop) -> int:
        try:
            database = await connect_database(settings)
        except NotYet as missing:
            return _fail(f"cannot go on without {missing}")
        try:
            return await work(database)
        finally:
            await database.close()

    return run


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return EXIT_FAILED


if __name__ == "__main__":
    app()
