"""The operator's command line."""

import sys

import typer

from admin import (
    backup,
    broadcasting,
    checking,
    doctor,
    keys,
    models,
    money,
    orders,
    preparing,
    repairing,
    replaying,
    stuck,
    users,
)
from admin.console import check_words

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    help=__doc__,
)
# One module per family of commands; in this order they stand in --help. A family without a name of its own
# adds its commands to the top; with one (`name="…"`) it is a command that has commands.
app.add_typer(preparing.app)
app.add_typer(doctor.app)
app.add_typer(checking.app)
app.add_typer(orders.app)
app.add_typer(stuck.app)
app.add_typer(repairing.app)
app.add_typer(users.app)
app.add_typer(money.app)
app.add_typer(keys.app)
app.add_typer(models.app)
app.add_typer(broadcasting.app)
app.add_typer(backup.app)
app.add_typer(replaying.app)


if __name__ == "__main__":
    check_words(sys.argv[1:])
    app()
