"""Spans alone: whose trace they join, what never leaves, and that replaying makes none."""

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.worker import Replayer

from local.processes import free_port
from local.programs import ROOT
from telemetry import tracing
from telemetry.spans import OrderTracer
from tests.histories.files import load, paths
from tests.telemetry.collector import Collector, collecting
from workflows.registry import ALL_WORKFLOWS, DATA_CONVERTER, workflow_runner

ORDER = "0123456789abcdef0123"
WITHOUT_WAITING_SECONDS_MAX = 30.0
"""For spans that would take minutes if each waited for the collector; the machine may be busy."""

END_SECONDS_MAX = 25.0
"""The SDK itself would give up after 30 s, however long one sending may take."""


@contextmanager
def traced() -> Iterator[Collector]:
    """All has arrived when the block ends."""
    with collecting() as collector:
        tracing.begin(collector.url, "test")
        try:
            yield collector
        finally:
            tracing.end()


def test_the_ids_are_those_of_the_documents() -> None:
    command = f"printf 'trace/{ORDER}' | sha256sum | cut -c1-32"
    told = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    assert tracing.trace_id_of(ORDER) == told.stdout.strip()


def test_what_comes_later_joins_the_trace_of_the_tap() -> None:
    with traced() as collector:
        with tracing.tap(ORDER, time.time_ns()), tracing.span("Telegram editMessageCaption"):
            pass
        with tracing.of_order(ORDER), tracing.span("by the sweeper"):
            tracing.mark(outcome="started")
    spans = {span.name: span for span in collector.trace(tracing.trace_id_of(ORDER)).values()}
    assert spans["tap"].parent_id == ""
    assert spans["tap"].attributes == {"order_id": ORDER}
    assert {spans[name].parent_id for name in spans if name != "tap"} == {tracing.tap_span_id_of(ORDER)}
    assert spans["by the sweeper"].attributes == {"outcome": "started"}


def test_what_belongs_to_no_order_is_not_traced() -> None:
    with traced() as collector, tracing.span("KIE credit"):
        tracing.mark(code="200")
    assert not collector.spans


def test_the_words_of_an_exception_stay_here() -> None:
    def breaks() -> None:
        with tracing.of_order(ORDER), tracing.span("broken"):
            raise ValueError("a blue mug for grandma")

    with traced() as collector, pytest.raises(ValueError, match="mug"):
        breaks()
    (span,) = collector.spans
    assert "ValueError" in span.said
    assert b"mug" not in b"".join(collector.bodies)
    assert b"Traceback" not in b"".join(collector.bodies)


def test_a_collector_that_is_away_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    tracing.begin(f"http://127.0.0.1:{free_port()}", "test")
    started = time.monotonic()
    with caplog.at_level(logging.WARNING):
        for _ in range(500):
            with tracing.of_order(ORDER), tracing.span("lost"):
                pass
        ended = time.monotonic()
        assert ended - started < WITHOUT_WAITING_SECONDS_MAX
        tracing.end()
    assert time.monotonic() - ended < END_SECONDS_MAX
    assert len(caplog.records) <= 10


async def test_golden_histories_replay_with_it_and_make_no_span() -> None:
    with collecting() as collector:
        tracer = OrderTracer(collector.url, "test")
        replayer = Replayer(
            workflows=ALL_WORKFLOWS,
            data_converter=DATA_CONVERTER,
            workflow_runner=workflow_runner(),
            interceptors=[TracingInterceptor(tracer.tracer)],
        )
        for path in paths():
            await replayer.replay_workflow(load(path))
        tracer.end()
    assert not collector.spans


@pytest.mark.parametrize("program", ["worker_main", "bot_serving"])
def test_without_an_endpoint_nothing_of_it_is_imported(program: str) -> None:
    ask = f"import sys, {program}; print(sorted(name for name in sys.modules if 'opentelemetry' in name))"
    told = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, timeout=150, check=True
    )
    assert told.stdout.strip() == "[]"
