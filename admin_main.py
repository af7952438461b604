"""The operator's command line."""

import secrets
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import typer

from domain.clock import utc_now
from domain.credits import NotEnoughCredits
from domain.deeds import CREDITS_MAX
from serving import EXIT_FAILED, NotYet, Stop, connect_database, reach_database, reach_temporal, run_program
from settings import Settings
from store.database import Database
from store.ledger import Ledger
from store.migrate import migrate
from store.payments import Payments, RefundBegun, RefundStart
from workflows.namespace import prepare_namespace
from workflows.start import ensure_schedules

TG_ID_MAX: Final = 2**52  # Telegram's own promise

_REFUND_SAID: Final = {
    RefundStart.BEGUN: "the credits are taken; the bot sends the money back next, and tells the user",
    RefundStart.CONTINUED: "the credits were taken before; the bot asks the provider again now",
    RefundStart.REFUNDED: "it is refunded already",
    RefundStart.UNKNOWN: "there is no such payment",
}

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


@app.command()
def refund_payment(
    charge_id: Annotated[str, typer.Argument(help="the payment, by the provider's number")],
    *,
    forced: Annotated[bool, typer.Option("--forced", help="also where credits are spent")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Take the credits of a payment back and send the money back; the bot tells the provider."""
    code = run_program(_on_database(lambda database: _show_payment(database, charge_id)))
    if code:
        raise typer.Exit(code)
    if not yes:
        typer.confirm("Refund it?", abort=True)
    raise typer.Exit(run_program(_on_database(lambda database: _refund(database, charge_id, forced=forced))))


async def _setup(settings: Settings, stop: Stop) -> int:
    database = await stop.until_ready(lambda: reach_database(settings))
    await database.close()
    applied = await migrate(settings.database_url.get_secret_value())
    _say(f"database: migrations applied: {applied}" if applied else "database: up to date")
    client = await stop.until_ready(lambda: reach_temporal(settings))
    done = await prepare_namespace(client)
    await ensure_schedules(client, settings.time_scale)
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


def _payments(database: Database) -> Payments:
    return Payments(database, Ledger(database, utc_now), utc_now)


async def _show_payment(database: Database, charge_id: str) -> int:
    payment = await _payments(database).find(charge_id)
    if payment is None:
        return _fail(f"there is no payment {charge_id}")
    _say(
        f"user {payment.tg_user_id} paid {payment.amount} {payment.currency} for {payment.credits} credits:"
        f" {payment.state} {payment.refund_error}".rstrip()
    )
    return 0


async def _refund(database: Database, charge_id: str, *, forced: bool) -> int:
    return _told(await _payments(database).begin_refund(charge_id, forced=forced))


def _told(begun: RefundBegun) -> int:
    if begun.start is RefundStart.SPENT:
        return _fail(
            f"{begun.missing_credits} of the credits are spent: nothing was changed."
            " --forced takes what is there and writes the rest down as a debt"
        )
    _say(_REFUND_SAID[begun.start])
    if begun.payment is not None and begun.payment.debt_credits:
        _say(f"{begun.payment.debt_credits} credits were spent and are written down as a debt")
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
