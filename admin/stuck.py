"""stuck: what does not go on, and what to do about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import typer
from temporalio.service import RPCError

from admin.console import AsJson, Refused, say, show, show_json, table
from admin.timeline import clock
from admin.tools import Tools, run
from admin.workflow_facts import paused, troubled
from domain.clock import utc_now
from serving import EXIT_FAILED
from store.stuck import Patience, StuckRows, Trouble

app = typer.Typer()

_ROWS_MAX: Final = 50
_REPORTED_PROBLEMS: Final = "workflow_problems"
_PAUSED: Final = "paused_activity"
_DO: Final = {
    Trouble.PAST_DEADLINE: "housekeeping should have settled it: doctor (schedules, pollers), then refund",
    Trouble.OLDER_EPOCH: "from before a restore: housekeeping ends it; refund does so now",
    Trouble.HELD_RESERVATION: "reserved, and no open video accounts for it: check --complete",
    Trouble.UNSTARTED: "no workflow: is Temporal there (doctor)? the bot starts it, or retry does",
    Trouble.NEAR_DEADLINE: "slow, still in time: order shows what it waits for",
    Trouble.UNSENT: "made, not sent: is Telegram there, does anybody poll the telegram queue (doctor)?",
    Trouble.LOST_CREATE: "perhaps bought; adopted by its callback, else refunded 20 min after its create",
    Trouble.WAITING_FOR_ACCOUNT: "no account has a slot: keys shows blocks and what is in flight",
    Trouble.UNCLOSED_ORDER: "its videos are over: housekeeping closes it; order shows its workflow",
    Trouble.PAYMENT: "money nobody has decided on: user shows it, refund-payment sends it back",
    Trouble.DOWN_SERVICE: "ten calls in a row reached nobody, the next that gets through ends it: ask doctor",
}
_PROBLEMS_DO: Final = "a bug of ours or a mixed deployment: see it in the Web UI, deploy the mended version"


@dataclass(frozen=True, slots=True)
class Line:
    trouble: str
    id: str
    since: datetime | None
    do: str
    said: str = ""


@app.command()
def stuck(*, as_json: AsJson = False) -> None:
    """List what does not go on, and what to do about it; 1 where there is any."""
    run(lambda tools: _stuck(tools, as_json=as_json), only_reads=True)


async def _stuck(tools: Tools, *, as_json: bool) -> int:
    now = utc_now()
    patience = Patience().scaled(tools.settings.time_scale)
    rows = await StuckRows(await tools.database(), utc_now, patience).list(_ROWS_MAX)
    lines = [Line(row.trouble.value, row.id, row.since, _DO[row.trouble]) for row in rows]
    problems, silence = await _problems(tools)
    lines += problems
    if as_json:
        show_json({"stuck": lines, "temporal": silence})
    else:
        _show(lines, silence, now)
    return EXIT_FAILED if lines or silence else 0


async def _problems(tools: Tools) -> tuple[list[Line], str]:
    try:
        client = await tools.temporal()
        found, pauses = await troubled(client, _ROWS_MAX), await paused(client, _ROWS_MAX)
    except (Refused, RPCError) as away:
        return [], f"Temporal was not asked: {away}"
    problems = [
        Line(_REPORTED_PROBLEMS, workflow_id, None, _PROBLEMS_DO, ", ".join(said))
        for workflow_id, said in found
    ]
    stopped = [
        Line(
            _PAUSED,
            each.workflow_id,
            each.since,
            each.undo,
            ", by ".join(filter(None, (each.activity, each.by))),
        )
        for each in pauses
    ]
    return [*problems, *stopped], ""


def _show(lines: list[Line], silence: str, now: datetime) -> None:
    if lines:
        shown = table("since", "which", "why, and what to do")
        for line in lines:
            why = f"{line.trouble.replace('_', ' ')}{': ' if line.said else ''}{line.said}\n{line.do}"
            shown.add_row(clock(now - line.since) if line.since else "", line.id, why)
        show(shown)
    else:
        say("nothing is stuck")
    if silence:
        say(silence)
