"""What a run amounted to, for its table and its line in a report."""

import platform
import subprocess
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import asyncpg
import psutil

from local.programs import ROOT
from tests.chaos.outside import Outside
from tests.chaos.plan import EVENT_SHARES, SERVICES

_EFFECT_WITHOUT_ANSWER: Final = ("drop_answer", "half_answer")
_COUNTS: Final = """
    select (select count(*) from orders) as orders,
           (select count(*) from videos) as videos,
           (select count(*) from videos where state = 'DELIVERED') as delivered,
           (select count(*) from videos where state = 'FAILED') as refunded,
           (select count(*) from videos where state = 'CANCELLED') as cancelled,
           (select count(*) from videos where state = 'WAITING') as waiting,
           (select count(*) from attempts) as attempts,
           (select count(*) from attempts where state = 'AMBIGUOUS') as ambiguous,
           (select count(*) from payments) as payments
"""
_FAILURES: Final = """
    select coalesce(failure_class, '?') as class, count(*) from videos where state = 'FAILED'
    group by 1 order by 2 desc
"""


@dataclass
class Tally:
    seed: int
    minutes: float
    commit: str
    machine: str
    counts: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    calm_seconds: float = 0.0
    unrest: dict[str, int] = field(default_factory=dict)
    checked: dict[str, int] = field(default_factory=dict)
    excused: dict[str, int] = field(default_factory=dict)
    violations: list[dict[str, Any]] = field(default_factory=list)
    busy_percent: float = 0.0
    own_cpu_seconds: float = 0.0  # of people, supervisor and balancer

    @property
    def is_right(self) -> bool:
        return not self.violations and not self.unrest

    def line(self) -> dict[str, Any]:
        return asdict(self)


def recoveries_of(found: list[tuple[str, float]]) -> dict[str, list[float]]:
    """Sorted seconds for each sort of process."""
    by_name: dict[str, list[float]] = {}
    for name, seconds in sorted(found):
        by_name.setdefault(name, []).append(round(seconds, 1))
    return by_name


async def count(tally: Tally, database_url: str, outside: Outside) -> None:
    known_tasks = await _count_rows(tally, database_url)
    await _count_calls(tally, outside)
    creates = (await outside.ask("kie", "/control/journal", where="createTask"))["entries"]
    made = [entry["facts"]["taskId"] for entry in creates if _is_lost(entry)]
    tally.counts["lost answers adopted"] = sum(task_id in known_tasks for task_id in made)
    tally.counts["lost answers counted"] = len(made) - tally.counts["lost answers adopted"]


def _is_lost(create: dict[str, Any]) -> bool:
    """KIE made a task, and we were not told which."""
    return create["outcome"].startswith(_EFFECT_WITHOUT_ANSWER) and "taskId" in create["facts"]


async def _count_rows(tally: Tally, database_url: str) -> set[str]:
    """The KIE tasks that our attempts know."""
    connection = await asyncpg.connect(database_url, timeout=10, command_timeout=30)
    try:
        tally.counts |= dict((await connection.fetch(_COUNTS))[0])
        tally.failures = {row["class"]: row["count"] for row in await connection.fetch(_FAILURES)}
        bought = {row["kie_task_id"] for row in await connection.fetch("select kie_task_id from attempts")}
    finally:
        await connection.close(timeout=5)
    return bought - {None}


async def _count_calls(tally: Tally, outside: Outside) -> None:
    """As the stand-ins counted: what went wrong, of how many calls."""
    for name in SERVICES:
        seen = await outside.ask(name, "/control/weather")
        tally.faults |= {f"{name}: {kind}": count for kind, count in sorted(seen["kinds"].items())}
        for where, counts in seen["calls"].items():
            if where in EVENT_SHARES.get(name, {}):
                tally.broken[f"{name}: {where}"] = counts["faulty"]
            else:
                tally.counts["calls outside"] = tally.counts.get("calls outside", 0) + counts["all"]
    tally.counts["KIE tasks"] = len((await outside.ask("kie", "/control/tasks"))["tasks"])


def commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - our own words
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}"
