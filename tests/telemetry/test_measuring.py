"""Looks at the whole system: one source that fails hides no other, and nothing stays as it once was."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.api.taskqueue.v1 import PollerInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueResponse

from activities.contracts import TaskQueue
from activities.measuring import (
    POLLED_WITHIN,
    DiskSource,
    Looks,
    Reading,
    begin_counters,
    of_queue,
    reading,
    volumes,
)
from telemetry import metrics
from telemetry.instruments import Gauge

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Shown(Gauge):
    """A gauge that remembers, instead of one on the wire."""

    __slots__ = ()
    values: dict[tuple[str, ...], float] = {}  # noqa: RUF012 - one per test, made anew by the fixture

    def set(self, value: float, **labels: str) -> None:
        self.values[tuple(labels.values())] = value


@pytest.fixture
def gauge() -> Shown:
    Shown.values = {}
    return Shown("shown", "for the test", ("account",))


@pytest.mark.unit
async def test_what_vanishes_becomes_0(gauge: Shown) -> None:
    accounts = ["alpha", "beta"]

    async def source() -> list[Reading]:
        return [reading(gauge, 7, account=name) for name in accounts]

    looks = Looks({"accounts": source}, lambda: NOW)
    await looks.look()
    accounts.remove("beta")
    await looks.look()
    assert gauge.values == {("alpha",): 7, ("beta",): 0}


@pytest.mark.unit
async def test_a_source_that_fails_or_hangs_hides_no_other(gauge: Shown) -> None:
    async def away() -> list[Reading]:
        raise ConnectionRefusedError

    async def hangs() -> list[Reading]:
        await asyncio.sleep(60)
        return []

    async def answers() -> list[Reading]:
        return [reading(gauge, 1, account="alpha")]

    await Looks({"away": away, "hangs": hangs, "answers": answers}, lambda: NOW, seconds_max=0.05).look()
    assert gauge.values == {("alpha",): 1}


@pytest.mark.unit
async def test_what_a_failing_source_said_stays(gauge: Shown) -> None:
    said: list[Reading] = [reading(gauge, 1, account="alpha")]

    async def source() -> list[Reading]:
        if not said:
            raise TimeoutError
        return said

    looks = Looks({"source": source}, lambda: NOW)
    await looks.look()
    said.clear()
    await looks.look()
    assert gauge.values == {("alpha",): 1}


async def test_a_disk_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    found = await DiskSource({"media": tmp_path, "gone": tmp_path / "gone"}).disks()
    assert [each.labels for each in found] == [(("volume", "media"),)]
    assert 0 < found[0].value < 1


@pytest.mark.unit
def test_volumes_are_of_this_machine() -> None:
    assert set(volumes("s3://bucket/media")) == {"temporary"}
    assert volumes("file:///srv/media")["media"] == Path("/srv/media")


@pytest.mark.unit
def test_counters_of_every_role_can_begin() -> None:
    begin_counters(tuple(TaskQueue), ["kling"])
    assert metrics.LATE_RESULTS.labels == ()


def test_a_killed_worker_that_the_server_still_lists_polls_nothing() -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    answer = DescribeTaskQueueResponse(
        pollers=[
            _poller("alive", now - timedelta(seconds=50)),
            _poller("killed", now - timedelta(minutes=3)),
        ]
    )
    found = of_queue(TaskQueue.MEDIA, "activity", answer, now - POLLED_WITHIN)
    assert [each.value for each in found if each.gauge is metrics.POLLERS] == [1]


def _poller(identity: str, polled_at: datetime) -> PollerInfo:
    poller = PollerInfo(identity=identity)
    poller.last_access_time.FromDatetime(polled_at)
    return poller
