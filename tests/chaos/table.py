"""A run as tables for a person."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from tests.chaos.auditor import PROMISES
from tests.chaos.tally import Tally

_IDS_SHOWN_MAX: Final = 6


def tables_of(tally: Tally) -> Iterator[Table]:
    yield _facts(tally)
    yield _broken(tally)
    yield _promises(tally)
    if tally.violations:
        yield _violations(tally)


def _facts(tally: Tally) -> Table:
    table = Table("what", "", title=f"seed {tally.seed}, {tally.minutes:g} minutes", title_justify="left")
    table.add_row("commit", tally.commit)
    busy = f"{tally.busy_percent:.0f} % busy, {tally.own_cpu_seconds:.0f} s of it by chaos itself"
    table.add_row("machine", f"{tally.machine}, {busy}")
    table.add_row("orders and videos", _words(tally.counts))
    table.add_row("refunded because of", _words(tally.failures))
    table.add_row("people", _words(tally.people))
    calm = f"{tally.calm_seconds:.0f} s" if not tally.unrest else f"[red]never: {_words(tally.unrest)}[/]"
    table.add_row("time to calm", calm)
    for name, seconds in tally.recoveries.items():
        table.add_row(f"{name}: kill to serving", f"{len(seconds)} times, at most {max(seconds):.1f} s")
    return table


def _broken(tally: Tally) -> Table:
    table = Table("broken", "times", title_justify="left")
    for name, count in {**tally.broken, **tally.faults}.items():
        table.add_row(name, str(count))
    return table


def _promises(tally: Tally) -> Table:
    table = Table("promise", "", "checked", "violations")
    broken: dict[str, int] = {}
    for violation in tally.violations:
        broken[violation["promise"]] = broken.get(violation["promise"], 0) + 1
    for promise in {**tally.checked, **broken}:
        count = broken.get(promise, 0)
        shown = f"[red]{count}[/]" if count else "0"
        table.add_row(promise, PROMISES.get(promise, ""), str(tally.checked.get(promise, "")), shown)
    for excuse, count in tally.excused.items():
        table.add_row("[dim]allowed for[/]", f"[dim]{escape(excuse)}[/]", f"[dim]{count}[/]", "")
    return table


def _violations(tally: Tally) -> Table:
    table = Table("violated", "ids", "detail")
    for violation in tally.violations:
        table.add_row(violation["promise"], escape(_ids(violation)), escape(violation["detail"]))
    return table


def _ids(violation: Mapping[str, Any]) -> str:
    ids = list(violation["ids"])
    more = f" and {len(ids) - _IDS_SHOWN_MAX} more" if len(ids) > _IDS_SHOWN_MAX else ""
    return ", ".join(map(str, ids[:_IDS_SHOWN_MAX])) + more


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
