"""docs/runbook.md as its readers have it: commands, what they show, queries, sections.

Above every block of commands stands one of
    <!-- run: name -->                    with ORDER and VIDEO of the order that shows the most
    <!-- run: name on state -->           with those of an order in that state
    <!-- run: name, exits 1 -->           and with this code instead of 0; `any`: that depends
    <!-- not run: the reason -->
and below a block that is run a sentence "Shows `…`": each word in it is in what the commands print.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RUNBOOK: Final = Path(__file__).parents[2] / "docs" / "runbook.md"
_BLOCK: Final = re.compile(
    r"(?:<!-- (?P<mark>[^>]*) -->\n)?```sh\n(?P<commands>.*?)```\n(?:\nShows (?P<shown>(?:[^\n]+\n)+))?",
    re.DOTALL,
)
_RUN: Final = re.compile(r"run: (?P<name>[\w ]+?)(?: on (?P<state>\w+))?(?:, exits (?P<exits>1|any))?")
_QUERY: Final = re.compile(r"^\| (?P<name>[^|`]+) \| `(?P<query>[^`|]+)` \|$", re.MULTILINE)
_HEADING: Final = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Recipe:
    """`name` is empty for commands that are not run; `reason` says why not."""

    name: str
    state: str
    reason: str
    commands: str
    exits: str
    shown: tuple[str, ...]


def recipes() -> list[Recipe]:
    return [_recipe(found) for found in _BLOCK.finditer(text())]


def text() -> str:
    return RUNBOOK.read_text(encoding="utf-8")


def visibility_queries() -> dict[str, str]:
    return {found["name"]: found["query"] for found in _QUERY.finditer(text())}


def headings() -> set[str]:
    return set(_HEADING.findall(text()))


def _recipe(block: re.Match[str]) -> Recipe:
    mark = block["mark"] or ""
    run = _RUN.fullmatch(mark)
    return Recipe(
        name=run["name"] if run else "",
        state=(run["state"] or "delivered") if run else "",
        reason=mark.removeprefix("not run:").strip() if mark.startswith("not run:") else "",
        commands=block["commands"],
        exits=(run["exits"] or "0") if run else "",
        shown=tuple(re.findall(r"`([^`]+)`", block["shown"] or "")),
    )
