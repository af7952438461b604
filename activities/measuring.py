"""The gauges of the whole system, looked at again and again. One source that is away hides no other."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Final

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue as Named
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client

from activities.contracts import TaskQueue
from clients.media import folder_of
from domain.accounts import AccountStatus
from domain.clock import Clock
from domain.invariants import Rule
from store.accounts import Accounts
from store.counting import ANSWERED, ORDER_OUTCOMES
from store.services import Outside
from store.system import SystemRows
from telemetry import metrics
from telemetry.instruments import Gauge

STAGES: Final = ("writing", "queued", "making", "delivering")
_PROBLEMS: Final = "TemporalReportedProblems IS NOT NULL AND ExecutionStatus = 'Running'"
_LOOK_SECONDS_MAX: Final = 10.0
_RPC_TIMEOUT: Final = timedelta(seconds=5)
FORGOTTEN_AFTER: Final = timedelta(minutes=3)
"""What nobody could look at for so long is not known; MeasuringStopped and WorkerBlind wait as long."""
POLLED_WITHIN: Final = timedelta(minutes=2)
"""A poll ends after one minute; who was killed is listed for five more."""
_CHORES: Final = {
    "backup": metrics.BACKUP_AT,
    "wal-archive": metrics.WAL_ARCHIVED_AT,
    "restore-test": metrics.RESTORE_TESTED_AT,
}
_KINDS: Final = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    gauge: Gauge
    value: float
    labels: tuple[tuple[str, str], ...] = ()


def reading(gauge: Gauge, value: float, **labels: str) -> Reading:
    return Reading(gauge, value, tuple(sorted(labels.items())))


Source = Callable[[], Awaitable[list[Reading]]]


class Looks:
    """Sources by name. What a source no longer tells of is set to 0: nothing stays as it once was.

    Others look at the same: whoever has lost his server must not outvote them with what he saw last.
    """

    def __init__(
        self, sources: Mapping[str, Source], clock: Clock, seconds_max: float = _LOOK_SECONDS_MAX
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._seconds_max = seconds_max
        self._told: dict[str, set[tuple[Gauge, tuple[tuple[str, str], ...]]]] = {}
        self._seen_at: dict[str, datetime] = {}
        for name in sources:  # who never succeeds is told of as well
            metrics.MEASURED_AT.set(clock().timestamp(), source=name)

    async def look(self) -> None:
        await asyncio.gather(*(self._look(name, source) for name, source in self._sources.items()))

    async def _look(self, name: str, source: Source) -> None:
        """Its gauges stay for a while when it fails, and its time of measuring shows how old they are."""
        found = (await asyncio.gather(self._within_time(source), return_exceptions=True))[0]
        if isinstance(found, BaseException):
            _log.warning("not measured", source=name, error=type(found).__name__)
            self._forget_what_is_old(name)
            return
        self._show(name, found)
        self._seen_at[name] = self._clock()
        metrics.MEASURED_AT.set(self._seen_at[name].timestamp(), source=name)

    async def _within_time(self, source: Source) -> list[Reading]:
        async with asyncio.timeout(self._seconds_max):
            return await source()

    def _show(self, name: str, found: list[Reading]) -> None:
        told = {(each.gauge, each.labels) for each in found}
        for gauge, labels in self._told.get(name, set()) - told:
            gauge.set(0, **dict(labels))
        for each in found:
            each.gauge.set(each.value, **dict(each.labels))
        self._told[name] = told

    def _forget_what_is_old(self, name: str) -> None:
        seen_at = self._seen_at.get(name)
        if seen_at is None or self._clock() - seen_at < FORGOTTEN_AFTER:
            return
        for gauge, labels in self._told.pop(name, set()):
            gauge.forget(**dict(labels))


class RowSources:
    """What the database knows; every worker that asks is told the same."""

    def __init__(self, rows: SystemRows) -> None:
        self._rows = rows

    @property
    def sources(self) -> dict[str, Source]:
        return {
            "work": self.work,
            "services": self.services,
            "invariants": self.invariants,
            "chores": self.chores,
        }

    async def work(self) -> list[Reading]:
        work = await self._rows.work()
        stages = {**dict.fromkeys(STAGES, 0), **work.videos_by_stage}
        return [
            *(reading(metrics.OPEN_VIDEOS, count, stage=stage) for stage, count in stages.items()),
            reading(metrics.QUEUED_VIDEOS, work.queued),
            reading(metrics.QUEUE_AGE, work.queue_seconds),
            reading(metrics.RESERVATION_AGE, work.reservation_seconds),
            reading(metrics.UNSTARTED_ORDERS, work.unstarted),
            reading(metrics.AMBIGUOUS_ATTEMPTS, work.ambiguous),
        ]

    async def services(self) -> list[Reading]:
        down = {**dict.fromkeys((each.value for each in Outside), False), **await self._rows.services()}
        return [reading(metrics.SERVICE_DOWN, is_down, service=name) for name, is_down in down.items()]

    async def invariants(self) -> list[Reading]:
        state = await self._rows.invariants()
        broken = {**dict.fromkeys((rule.value for rule in Rule), 0), **state.broken_by_rule}
        readings = [reading(metrics.BROKEN_INVARIANTS, count, rule=rule) for rule, count in broken.items()]
        if state.checked_at is not None:
            readings.append(reading(metrics.INVARIANTS_CHECKED_AT, state.checked_at.timestamp()))
        return readings

    async def chores(self) -> list[Reading]:
        """What was never done has no time: that, too, is for an alert to say."""
        ended = await self._rows.chores()
        known = {name: gauge for name, gauge in _CHORES.items() if name in ended}
        return [reading(gauge, ended[name].timestamp()) for name, gauge in known.items()]


class TemporalSources:
    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    @property
    def sources(self) -> dict[str, Source]:
        return {"task queues": self.queues, "problems": self.problems}

    async def queues(self) -> list[Reading]:
        asked = [(queue, kind) for queue in TaskQueue for kind in _kinds_of(queue)]
        answers = await asyncio.gather(*(self._describe(queue, kind) for queue, kind in asked))
        found = zip(asked, answers, strict=True)
        since = self._clock() - POLLED_WITHIN
        return [each for (queue, kind), answer in found for each in of_queue(queue, kind, answer, since)]

    async def problems(self) -> list[Reading]:
        found = await self._client.count_workflows(_PROBLEMS, rpc_timeout=_RPC_TIMEOUT)
        return [reading(metrics.PROBLEM_WORKFLOWS, found.count)]

    async def _describe(self, queue: TaskQueue, kind: str) -> DescribeTaskQueueResponse:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=Named(name=queue.value),
            task_queue_type=_KINDS[kind],
            report_stats=True,
        )
        return await self._client.workflow_service.describe_task_queue(request, timeout=_RPC_TIMEOUT)


class AccountSource:
    """Only who has the keys knows which of them there are."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @property
    def sources(self) -> dict[str, Source]:
        return {"accounts": self.accounts}

    async def accounts(self) -> list[Reading]:
        statuses = await self._accounts.statuses()
        spent = await self._accounts.spent_in_a_day()
        serving = sum(
            status.blocked_until is None and key.blocked_until is None
            for status in statuses
            for key in status.keys
        )
        readings = [
            reading(metrics.KIE_KEYS, serving, state="serving"),
            reading(metrics.KIE_KEYS, sum(len(each.keys) for each in statuses) - serving, state="blocked"),
        ]
        for each in statuses:
            readings.append(reading(metrics.KIE_SLOTS, each.in_flight, account=each.account))
            readings.append(reading(metrics.KIE_SPENT, spent.get(each.account, 0.0), account=each.account))
            if each.balance_kie_credits is not None:
                readings.append(reading(metrics.KIE_BALANCE, each.balance_kie_credits, account=each.account))
        return readings


class DiskSource:
    """`folders` by the name of their volume; one that is not there is somebody else's."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders

    @property
    def sources(self) -> dict[str, Source]:
        return {"disks": self.disks}

    async def disks(self) -> list[Reading]:
        return await asyncio.to_thread(self._disks)

    def _disks(self) -> list[Reading]:
        found = {name: shutil.disk_usage(path) for name, path in self._folders.items() if path.exists()}
        return [
            reading(metrics.DISK_FREE, usage.free / usage.total, volume=name) for name, usage in found.items()
        ]


def _serving_keys(status: AccountStatus) -> int:
    if status.blocked_until is not None:
        return 0
    return sum(key.blocked_until is None for key in status.keys)


def volumes(media_url: str) -> dict[str, Path]:
    """What a process of ours may fill: where media are kept, unless elsewhere, and what it works in."""
    folder = folder_of(media_url)
    media = {"media": folder} if folder is not None else {}
    return {**media, "temporary": Path(gettempdir())}


def begin_counters(roles: Sequence[TaskQueue], video_models: Sequence[str]) -> None:
    """Those whose first event somebody waits for."""
    if TaskQueue.ORDERS in roles:
        metrics.ORDERS.begin(outcome=ORDER_OUTCOMES)
    if TaskQueue.KIE in roles:
        metrics.LATE_RESULTS.begin()
    if TaskQueue.KIE_CREATE in roles:
        metrics.ATTEMPTS.begin(state=ANSWERED, video_model=video_models)


def _kinds_of(queue: TaskQueue) -> tuple[str, ...]:
    return ("workflow", "activity") if queue is TaskQueue.ORDERS else ("activity",)


def of_queue(
    queue: TaskQueue, kind: str, answer: DescribeTaskQueueResponse, since: datetime
) -> list[Reading]:
    """`since`: who has not polled after that is gone, though the server still lists him."""
    polling = [each for each in answer.pollers if each.last_access_time.ToDatetime(UTC) > since]
    labels = {"task_queue": queue.value, "kind": kind}
    age_seconds = answer.stats.approximate_backlog_age.ToTimedelta().total_seconds()
    return [
        reading(metrics.BACKLOG, answer.stats.approximate_backlog_count, **labels),
        reading(metrics.BACKLOG_AGE, age_seconds, **labels),
        reading(metrics.POLLERS, len(polling), **labels),
    ]
