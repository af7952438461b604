"""`make smoke`: the stories on a throw-away system, as a table. Fails if any ends otherwise."""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.processes import ChildFailed
from tests.stories.player import play_all
from tests.stories.shelf import Played

console = Console(width=None if sys.stdout.isatty() else 200)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("--photo", type=Path, help="a picture of your own")
    parser.add_argument("--only", default="", help="stories whose name contains this")
    given = parser.parse_args()
    if given.photo and not given.photo.is_file():
        sys.stderr.write(f"PHOTO: there is no file {given.photo}, for example PHOTO=mug.jpg\n")
        return 2
    started = time.monotonic()
    try:
        played = asyncio.run(play_all(given.photo and given.photo.resolve(), given.only, tell))
    except ChildFailed as failed:
        console.print(f"[red]the system did not start:[/] {failed}")
        return 1
    console.print(table_of(played))
    wrong = sum(not each.right for each in played)
    console.print(f"{len(played) - wrong} passed, {wrong} failed in {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


def tell(played: Played) -> None:
    mark = "[green]✓[/]" if played.right else "[red]✗[/]"
    console.print(f"{mark} {played.story.name} [dim]{played.seconds:.1f} s[/]")


def table_of(played: list[Played]) -> Table:
    table = Table("story", "expected", "seen", "seconds", show_lines=False)
    for each in played:
        seen = each.seen if each.right else f"[red]{each.seen or each.error}[/]"
        table.add_row(each.story.name, each.story.expected, seen, f"{each.seconds:.1f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
