"""Counted when it is committed: never what was rolled back, and never a second time."""

from collections.abc import Iterator

import pytest
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig

from domain.admission import AdmissionLimits
from domain.failures import Failure, FailureClass
from domain.orders import VideoState
from store.admission import Admission, Granted
from store.database import Database, after_commit
from store.ledger import Ledger
from store.videos import Videos
from telemetry.instruments import _Made, use
from tests.fixtures.kie_rows import HandClock, add_video, close_video, keys_of

MODEL = "kling-2.6/image-to-video"


class Counted:
    def __init__(self, buffer: MetricBuffer) -> None:
        self._buffer = buffer
        self._values: dict[str, float] = {}

    def __call__(self, name: str) -> float:
        """Of all labels together, since the beginning."""
        for update in self._buffer.retrieve_updates():
            self._values[update.metric.name] = self._values.get(update.metric.name, 0) + update.value
        return self._values.get(name, 0)


@pytest.fixture
def counted() -> Iterator[Counted]:
    before, buffer = _Made.meter, MetricBuffer(1_000)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    use(runtime.metric_meter)
    yield Counted(buffer)
    use(before)


class Undone(Exception):
    pass


async def test_what_is_rolled_back_never_was(database: Database) -> None:
    done: list[str] = []

    async def undo() -> None:
        async with database.transaction():
            after_commit(lambda: done.append("undone"))
            raise Undone

    with pytest.raises(Undone):
        await undo()
    async with database.transaction():
        after_commit(lambda: done.append("kept"))
        assert done == []
    after_commit(lambda: done.append("outside"))
    assert done == ["kept", "outside"]


async def test_a_settlement_counts_for_the_one_who_won(database: Database, counted: Counted) -> None:
    clock = HandClock()
    ledger = Ledger(database, clock)
    videos = Videos(database, ledger, clock)
    video_id = await add_video(database, 7)
    async with database.transaction() as connection:
        user_id = (await videos.read(video_id)).user_id
        await ledger.welcome(connection, user_id, 3)
        await ledger.reserve(connection, user_id, (await videos.read(video_id)).order_id, 1)
    failure = Failure(FailureClass.TEMPORARY)
    assert (await videos.settle(video_id, VideoState.FAILED, failure)).won
    assert not (await videos.settle(video_id, VideoState.DELIVERED)).won
    assert counted("neurocards_videos") == 1
    assert counted("neurocards_orders") == 1
    assert counted("neurocards_credits") == 3 + 1 + 1


async def test_an_end_that_nobody_waits_for_is_late_once(database: Database, counted: Counted) -> None:
    admission = Admission(database, HandClock(), keys_of("alpha"), (MODEL,), AdmissionLimits())
    video_id = await add_video(database, 7)
    granted = await admission.request(video_id)
    assert isinstance(granted, Granted)
    attempt_id = granted.attempt.id
    await admission.begin_create(attempt_id)
    await admission.record_accepted(attempt_id, "task-1")
    await close_video(database, video_id)
    await admission.abandon(attempt_id)
    for _ in range(2):
        await admission.record_task_success(attempt_id, ["https://example.com/video.mp4"], 55.0)
    assert counted("neurocards_late_results") == 1
    assert counted("neurocards_attempts") == 1
