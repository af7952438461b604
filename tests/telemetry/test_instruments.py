"""Instruments as they are on the wire: names, suffixes, buckets, labels."""

import httpx
import pytest
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from local.processes import LOCALHOST, free_port
from telemetry import calls, metrics, updates
from telemetry.instruments import Counter, Gauge, Histogram, _Made, use
from tests.telemetry.wire import Sample, samples

HISTOGRAMS = [one for one in metrics.ALL if isinstance(one, Histogram)]
SUFFIXES = {Counter: "_total", Histogram: "_seconds"}


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module", autouse=True)
def _measured(port: int) -> object:
    """As serving.py has it; afterwards the process measures into the void again."""
    before = _Made.meter
    config = PrometheusConfig(
        bind_address=f"{LOCALHOST}:{port}",
        durations_as_seconds=True,
        counters_total_suffix=True,
        unit_suffix=True,
        histogram_bucket_overrides=metrics.buckets(),
    )
    runtime = Runtime(telemetry=TelemetryConfig(metrics=config))
    use(runtime.metric_meter)
    yield runtime
    use(before)


def shown(port: int, name: str) -> list[Sample]:
    page = httpx.get(f"http://{LOCALHOST}:{port}/metrics", trust_env=False, timeout=30).text
    return [each for each in samples(page) if each.name.startswith(name)]


@pytest.mark.parametrize("each", metrics.ALL, ids=lambda each: each.name)
def test_the_wire_shows_it_under_its_name(each: Counter | Histogram | Gauge, port: int) -> None:
    labels = dict.fromkeys(each.labels, "some")
    if isinstance(each, Counter):
        each.add(2, **labels)
    elif isinstance(each, Histogram):
        each.record(each.buckets[0] / 2, **labels)
    else:
        each.set(2.5, **labels)
    name = each.name + SUFFIXES.get(type(each), "")
    found = {one.name for one in shown(port, each.name) if labels.items() <= one.labels.items()}
    parts = ("_bucket", "_count", "_sum") if isinstance(each, Histogram) else ("",)
    assert {f"{name}{part}" for part in parts} <= found


@pytest.mark.parametrize(
    "each", [one for one in metrics.ALL if isinstance(one, Histogram)], ids=lambda one: one.name
)
def test_histograms_have_their_own_buckets(each: Histogram, port: int) -> None:
    each.record(1.0, **dict.fromkeys(each.labels, "bucket"))
    ends = {one.labels["le"] for one in shown(port, f"{each.name}_seconds_bucket")}
    assert {float(end) for end in ends} == {*each.buckets, float("inf")}


def test_the_promised_seconds_are_ends_of_buckets() -> None:
    """An answer within 1.5 s, a delivery within 60 s, an end within 45 min."""
    assert 1.5 in metrics.ANSWER_DURATION.buckets
    assert 60.0 in metrics.DELIVERY_DURATION.buckets
    assert 2_700.0 in metrics.VIDEO_DURATION.buckets


def test_names_are_unique_and_ours() -> None:
    names = [each.name for each in metrics.ALL]
    assert len(set(names)) == len(names)
    assert all(name.startswith("neurocards_") for name in names)


def test_another_label_is_a_bug() -> None:
    with pytest.raises(ValueError, match="outcome"):
        metrics.ORDERS.add(result="DELIVERED")


def test_clocks_that_differ_and_overdrawn_balances_are_0_and_break_nothing(port: int) -> None:
    metrics.DELIVERY_DURATION.record(-0.5)
    metrics.KIE_BALANCE.set(-3.0, account="overdrawn")
    (balance,) = [
        one for one in shown(port, "neurocards_kie_balance_credits") if one.labels["account"] == "overdrawn"
    ]
    assert balance.value == 0.0


def test_what_begins_is_shown_as_0(port: int) -> None:
    metrics.STARS.begin(outcome=("never", "yet"))
    found = {one.labels["outcome"]: one.value for one in shown(port, "neurocards_stars_total")}
    assert (found["never"], found["yet"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("code", "label"), [(200, "200"), ("429", "429"), (99, "other"), (100_000, "other"), ("x", "other")]
)
def test_a_code_that_a_provider_makes_up_is_no_label(code: int | str, label: str) -> None:
    call = calls.Call()
    call.answered(code)
    assert call.code == label


def test_a_call_that_breaks_is_measured_too(port: int) -> None:
    with pytest.raises(KeyError), calls.timed(metrics.KIE_REQUESTS, operation="breaks"):
        raise KeyError
    (count,) = [
        one
        for one in shown(port, "neurocards_kie_request_duration_seconds_count")
        if one.labels["operation"] == "breaks"
    ]
    assert (count.labels["code"], count.value) == ("none", 1.0)


def test_the_first_thing_seen_is_the_answer(port: int) -> None:
    def answers() -> float:
        found = shown(port, "neurocards_answer_duration_seconds_count")
        return sum(one.value for one in found if one.labels["kind"] == "tried")

    updates.seen("sendMessage")
    assert answers() == 0, "nobody waits"
    with updates.handled("tried"):
        updates.seen("getFile")
        assert answers() == 0, "nobody sees it"
        updates.seen("sendMessage")
        updates.seen("editMessageText")
    updates.seen("sendMessage")
    assert answers() == 1
