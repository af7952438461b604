"""A worker that has lost its server: on its page the others are not outvoted by what it saw last."""

import math
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Worker

from activities.contracts import TaskQueue
from activities.measuring import FORGOTTEN_AFTER, Looks, TemporalSources
from local.processes import LOCALHOST, free_port
from local.temporal import TemporalServer, connect
from telemetry.instruments import _Made, use
from tests.observability.servers import until
from tests.telemetry.wire import Sample, read

POLLERS = "neurocards_task_queue_pollers"
MEASURED_AT = "neurocards_measured_timestamp_seconds"
MINUTE = timedelta(minutes=1)
SOURCES = {"task queues", "problems"}


class Now:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def page() -> Iterator[str]:
    before = _Made.meter
    port = free_port()
    endpoint = PrometheusConfig(bind_address=f"{LOCALHOST}:{port}", durations_as_seconds=True)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=endpoint))
    use(runtime.metric_meter)
    yield f"http://{LOCALHOST}:{port}/metrics"
    use(before)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[TemporalServer]:
    server = TemporalServer(tmp_path / "temporal", ui_port=None)
    await server.start()
    yield server
    await server.stop()


@pytest.mark.timeout(300)
async def test_what_cannot_be_looked_at_for_three_minutes_is_not_known(
    server: TemporalServer, page: str
) -> None:
    now, client = Now(), await connect(server.address)
    looks = Looks(TemporalSources(client, now).sources, now)
    async with Worker(client, task_queue=TaskQueue.MEDIA, activities=[nothing]):
        seen = await until(lambda: seen_polling(looks, page), "the server lists the worker")

    await server.stop()
    now.moment += FORGOTTEN_AFTER - MINUTE
    await looks.look()
    assert await read(page) == seen, "a short outage changes nothing"

    now.moment += MINUTE
    await looks.look()
    forgotten = await read(page)
    assert len(forgotten) == len(seen)
    assert all(math.isnan(each.value) for each in forgotten if each.name != MEASURED_AT)
    assert measured(forgotten) == measured(seen), "when it was seen last is still known"

    await server.start()
    known = await until(lambda: seen_again(looks, page), "all of it is known again")
    assert measured(known) != measured(seen)


async def test_what_was_never_seen_is_told_of_as_well(server: TemporalServer, page: str) -> None:
    """Else the alerts would wait for a first time that never comes."""
    now, client = Now(), await connect(server.address)
    await server.stop()
    looks = Looks(TemporalSources(client, now).sources, now)
    began_at = now.moment.timestamp()
    now.moment += MINUTE
    await looks.look()
    assert measured(await read(page)) == pytest.approx(dict.fromkeys(SOURCES, began_at))


@activity.defn
async def nothing() -> None: ...


async def seen_polling(looks: Looks, page: str) -> list[Sample]:
    await looks.look()
    seen = await read(page)
    return seen if [each.value for each in polled(seen)] == [1.0] else []


async def seen_again(looks: Looks, page: str) -> list[Sample]:
    """A server that has only just started may not answer the first look in time."""
    await looks.look()
    seen = await read(page)
    return [] if any(math.isnan(each.value) for each in seen) else seen


def polled(page: list[Sample]) -> list[Sample]:
    return [each for each in page if each.name == POLLERS and each.labels["task_queue"] == TaskQueue.MEDIA]


def measured(page: list[Sample]) -> dict[str, float]:
    found = {each.labels["source"]: each.value for each in page if each.name == MEASURED_AT}
    assert set(found) == SOURCES
    return found
