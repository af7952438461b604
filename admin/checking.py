"""check: what must always be true of money and videos, by hand."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Final

import typer

from admin.console import AsJson, say, show_json
from admin.tools import Tools, run
from domain.clock import utc_now
from domain.invariants import STALE_AFTER, Checked, Rule
from serving import EXIT_FAILED
from store.invariants import Invariants

_IDS_SHOWN_MAX: Final = 1_000
_CHECKED: Final = {
    Rule.WALLETS: "wallets",
    Rule.SETTLED_ONCE: "videos settled once",
    Rule.STATE_AND_SETTLEMENT: "videos as they are settled",
    Rule.BOUGHT_ONCE: "videos bought once",
    Rule.PAYMENTS: "payments",
    Rule.DEADLINES: "open videos in time",
}

app = typer.Typer()


@app.command()
def check(
    *,
    complete: Annotated[bool, typer.Option("--complete", help="every row, not only new ones")] = False,
    as_json: AsJson = False,
) -> None:
    """Look whether what must always be true of money and videos is true; 1 where it is not."""
    run(lambda tools: _check(tools, complete=complete, as_json=as_json), only_reads=True)


async def _check(tools: Tools, *, complete: bool, as_json: bool) -> int:
    invariants = Invariants(await tools.database(), utc_now)
    checked = await invariants.check(complete=complete, ids_max=_IDS_SHOWN_MAX)
    if as_json:
        show_json(
            {"complete": checked.complete, "rules": {rule.value: _facts(checked, rule) for rule in Rule}}
        )
    else:
        for line in _report(checked, utc_now()):
            say(line)
    return EXIT_FAILED if checked.broken else 0


def _report(checked: Checked, now: datetime) -> Iterator[str]:
    for rule in Rule:
        count = checked.broken_count(rule)
        yield f"{rule.value} {_CHECKED[rule]}: {checked.rows[rule]} looked at, {count} broken"
        yield from (
            f"   {each.subject}: {each.details}" for each in (checked.broken[rule].examples if count else ())
        )
    if checked.previous_at is None or now - checked.previous_at > STALE_AFTER:
        yield f"nobody has checked for {STALE_AFTER.seconds // 60} minutes: does the schedule run?"


def _facts(checked: Checked, rule: Rule) -> dict[str, object]:
    return {
        "looked_at": checked.rows[rule],
        "broken": checked.broken_count(rule),
        "subjects": checked.broken[rule].subjects if rule in checked.broken else (),
    }
