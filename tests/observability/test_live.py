"""A real Prometheus looks at a whole system at work: panels show something, alerts have what they ask for."""

import math
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

import pytest
import pytest_asyncio

from deploy.grafana.write import DASHBOARDS
from tests.observability.alerts import ALERTS, RECORDED, AlertRule
from tests.observability.played import Measured, measured_system
from tests.observability.promql import filled, selectors
from tests.observability.servers import at_last

pytestmark = pytest.mark.timeout(900)

NOT_IN_THIS_LOAD: Final = {
    # What the SDK and the server tell of only once it has happened.
    "temporal_workflow_failed_total": "no workflow of ours fails: failures are results",
    "temporal_workflow_canceled_total": "a cancelled order ends by itself, with a result",
    'neurocards_telegram_request_duration_seconds_count{code="429"}': "the stand-in does not slow us down",
    'neurocards_videos_total{failure_class=~"DELIVERY|RESULT"}': "each video came in the end",
}
"""Selectors, or all of a metric, that find nothing here: and why not."""

NOT_IN_EACH_RUN: Final = {
    "temporal_request_failure_total": "a call that has to be made again, on a busy machine",
    "persistence_error_with_type": "what is not found is an error there, and no trouble",
    "temporal_workflow_task_execution_failed_total": "a task that was not let run for 2 s, on a busy machine",
    "temporal_activity_execution_failed_total": "expected refusals are benign, and others need chance",
}

SLOW_MACHINE: Final = ".*Slo.*"
"""Alerts of a machine that runs other tests beside this."""


@pytest_asyncio.fixture(scope="module")
async def measured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Measured]:
    async with measured_system(tmp_path_factory.mktemp("measured")) as system:
        yield system


async def test_every_ending_was_played(measured: Measured) -> None:
    found = await measured.prometheus.query("sum by (outcome) (neurocards_videos_total) > 0")
    assert {each["metric"]["outcome"] for each in found} >= {"DELIVERED", "FAILED", "CANCELLED"}, (
        measured.played
    )


async def test_every_target_is_scraped(measured: Measured) -> None:
    """A single scrape may come too late on a busy machine, and the next one does not."""
    up = dict.fromkeys(("bot", "worker", "temporal", "postgres", "node", "prometheus"), "1")
    assert await at_last(partial(_targets, measured), up) == up


@pytest.mark.parametrize(
    ("where", "expressions"),
    [
        (f"{dashboard.name}: {panel.title}", [query.expression for query in panel.queries])
        for dashboard in DASHBOARDS
        for section in dashboard.sections
        for panel in section.panels
    ],
)
async def test_a_panel_shows_something(measured: Measured, where: str, expressions: list[str]) -> None:
    """A scrape that came too late takes its target's series away until the next one."""
    for expression in expressions:
        assert await at_last(partial(_complaint, measured, expression), "") == "", (where, expression)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
async def test_an_alert_has_what_it_asks_for(measured: Measured, alert: AlertRule) -> None:
    """By metric and by label: an alert that asks for what nobody says is silent for ever."""
    await measured.prometheus.query(alert.expression)
    for selector in selectors(alert.expression):
        assert not await _is_missing(measured, selector) or _reason(selector), (alert.name, selector)


@pytest.mark.parametrize("name", RECORDED)
async def test_a_recorded_rule_has_what_it_asks_for(measured: Measured, name: str) -> None:
    for selector in selectors(RECORDED[name]):
        assert not await _is_missing(measured, selector) or _reason(selector), (name, selector)


async def test_a_healthy_system_is_not_complained_of(measured: Measured) -> None:
    """What a machine that stood still for a moment brought up ends by itself; a wrong complaint stays."""
    nothing: list[dict[str, str]] = []
    assert await at_last(partial(_complained_of, measured), nothing) == nothing


async def test_no_excuse_is_left_over(measured: Measured) -> None:
    """An excuse for what is there would hide its going away."""
    present = [selector for selector in NOT_IN_THIS_LOAD if not await _is_missing(measured, selector)]
    assert present == []


async def _complained_of(measured: Measured) -> list[dict[str, str]]:
    firing = await measured.prometheus.query(
        f'ALERTS{{alertstate="firing", alertname!~"Watchdog|{SLOW_MACHINE}"}}'
    )
    return [each["metric"] for each in firing]


async def _targets(measured: Measured) -> dict[str, str]:
    found = await measured.prometheus.query("up")
    return {each["metric"]["job"]: each["value"][1] for each in found}


async def _complaint(measured: Measured, expression: str) -> str:
    """Of what a panel asks for; none where it is empty for a reason."""
    found = await measured.prometheus.query(filled(expression))
    if found:
        return "" if _any_number(found) else f"no number: {found}"
    missing = [each for each in selectors(expression) if await _is_missing(measured, each)]
    if not missing:
        return "is empty, though all it asks for is there"
    return "".join(f"{each} is missing; " for each in missing if not _reason(each))


async def _is_missing(measured: Measured, selector: str) -> bool:
    return not await measured.prometheus.query(f"count(last_over_time({selector}[10m]))")


def _reason(selector: str) -> str | None:
    name = selector.partition("{")[0]
    return NOT_IN_THIS_LOAD.get(selector) or NOT_IN_THIS_LOAD.get(name) or NOT_IN_EACH_RUN.get(name)


def _any_number(found: list[dict[str, Any]]) -> bool:
    return any(not math.isnan(float(each["value"][1])) for each in found)
