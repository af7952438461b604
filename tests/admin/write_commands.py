"""Writes docs/commands.md: every command of admin_main.py with its --help. `make commands` runs it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer
from typer.core import TyperCommand, TyperGroup

import admin_main

TARGET: Final = Path(__file__).parents[2] / "docs" / "commands.md"
_COLUMNS: Final = 100
_HEAD: Final = """# The operator's commands

Written by `make commands` from `--help`; a test fails when it is out of date. What to do when is in
[runbook.md](runbook.md).

- They read the same environment as the programs: `.env`, or
  `docker compose run --rm admin …`.
- Exit code 0: done, and all is well. 1: refused, not found, or something is wrong; one sentence on stderr
  says what and what to do. 2: a wrong setting or a wrong argument.
- `--json` prints one JSON document on stdout: its keys stay, times are ISO 8601, no secret is in it.
- What is dangerous asks first. Where nobody can be asked (no terminal) it refuses, unless `--yes` is given.
- What changes something is written into `admin_actions` with `--by`, or else the login of whoever runs it.
"""


def document() -> str:
    return "\n".join([_HEAD, *_sections(top(), "")])


def top() -> TyperGroup:
    group = typer.main.get_command(admin_main.app)
    assert isinstance(group, TyperGroup)
    return group


def _sections(group: TyperGroup, before: str) -> Iterator[str]:
    for name, command in group.commands.items():
        assert isinstance(command, TyperCommand | TyperGroup)
        full = f"{before} {name}".strip()
        yield f"## {full}\n\n```\n{help_of(command, full)}\n```\n"
        if isinstance(command, TyperGroup):
            yield from _sections(command, full)


def help_of(command: TyperCommand | TyperGroup, full_name: str) -> str:
    context = typer.Context(command, info_name=f"admin_main.py {full_name}", terminal_width=_COLUMNS)
    context.max_content_width = _COLUMNS
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
