"""docs/commands.md says what --help says, and every command keeps to the same manners."""

from collections.abc import Iterator

import pytest
from typer.core import TyperCommand, TyperGroup

from tests.admin.write_commands import TARGET, document, top

pytestmark = pytest.mark.unit

ASKS = {
    *("grant", "refund", "cancel", "refund-payment", "keys block", "keys remove"),
    *("broadcast start", "broadcast cancel"),
}
CHANGES = ASKS | {"retry", "keys unblock", "models unmark", "broadcast resume"}


def commands(group: TyperGroup | None = None, before: str = "") -> Iterator[tuple[str, TyperCommand]]:
    for name, command in (group or top()).commands.items():
        full = f"{before} {name}".strip()
        if isinstance(command, TyperGroup):
            yield from commands(command, full)
        else:
            assert isinstance(command, TyperCommand)
            yield full, command


def options(command: TyperCommand) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def test_the_document_is_what_help_says() -> None:
    assert TARGET.read_text(encoding="utf-8") == document(), "make commands"


def test_every_command_speaks_json_and_says_what_it_does() -> None:
    silent = [name for name, command in commands() if "--json" not in options(command)]
    wordless = [name for name, command in commands() if not (command.help or "").strip()]
    assert (silent, wordless) == ([], [])


def test_what_is_dangerous_asks_and_what_changes_something_has_a_doer() -> None:
    known = dict(commands())
    assert known.keys() >= CHANGES
    assert {name for name in ASKS if "--yes" not in options(known[name])} == set()
    assert {name for name in CHANGES if "--by" not in options(known[name])} == set()
