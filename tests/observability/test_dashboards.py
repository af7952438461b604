"""Dashboards are what their Python says, and such that a person can read them."""

import json
import re
from itertools import combinations
from typing import Any, Final

import pytest

from deploy.grafana.panels import COLUMNS, Dashboard, Unit
from deploy.grafana.write import DASHBOARDS, FOLDER, path_of
from tests.observability.alerts import ALERTS, RECORDED
from tests.observability.promql import ON_THE_WIRE, names

pytestmark = pytest.mark.unit

_SPLIT: Final = re.compile(r"(?:topk\(\d+, )?(?:histogram_quantile\([\d.]+, )?\w+ by \(([^)]*)\)")

every_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)


@every_dashboard
def test_the_json_is_written_again_after_a_change(dashboard: Dashboard) -> None:
    assert path_of(dashboard).read_text() == dashboard.to_json(), "run: python -m deploy.grafana.write"


def test_no_other_dashboard_lies_about() -> None:
    assert set(FOLDER.iterdir()) == {path_of(each) for each in DASHBOARDS}


def test_ids_are_unique() -> None:
    assert len({_model(each)["uid"] for each in DASHBOARDS}) == len(DASHBOARDS)


@every_dashboard
def test_panels_lie_side_by_side(dashboard: Dashboard) -> None:
    panels = _model(dashboard)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= COLUMNS
    for one, other in combinations(panels, 2):
        assert not _overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


@every_dashboard
def test_a_panel_says_what_it_shows(dashboard: Dashboard) -> None:
    for panel in _drawn(dashboard):
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"] in set(Unit)
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["legendFormat"], panel["title"]
            assert target["datasource"] == panel["datasource"]
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters)


@every_dashboard
def test_titles_are_not_repeated(dashboard: Dashboard) -> None:
    titles = [panel["title"] for panel in _model(dashboard)["panels"]]
    assert len(set(titles)) == len(titles)


@every_dashboard
def test_lines_of_a_panel_can_be_told_apart(dashboard: Dashboard) -> None:
    """A legend names every label by which its query is split."""
    for panel in _drawn(dashboard):
        for target in panel["targets"]:
            shown = set(target["legendFormat"].replace("{{", "\0").replace("}}", "\0").split("\0")[1::2])
            split = _split_by(target["expr"])
            assert split <= shown, (panel["title"], split - shown)


@pytest.mark.parametrize(
    ("where", "expression"),
    [
        *((f"alert {alert.name}", alert.expression) for alert in ALERTS.values()),
        *((f"record {name}", expression) for name, expression in RECORDED.items()),
        *(
            (f"{dashboard.name}: {panel.title}", query.expression)
            for dashboard in DASHBOARDS
            for section in dashboard.sections
            for panel in section.panels
            for query in panel.queries
        ),
    ],
)
def test_our_metrics_and_rules_exist(where: str, expression: str) -> None:
    asked = names(expression)
    assert asked or "vector(1)" in expression, where
    for name in asked:
        if name.startswith("neurocards"):
            assert name in ON_THE_WIRE or name in RECORDED, (where, name)


def _model(dashboard: Dashboard) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(dashboard.to_json())
    return model


def _drawn(dashboard: Dashboard) -> list[dict[str, Any]]:
    return [panel for panel in _model(dashboard)["panels"] if panel["type"] != "row"]


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def _split_by(expression: str) -> set[str]:
    """The labels that are left at the end."""
    found = _SPLIT.match(expression)
    return {label.strip() for label in found[1].split(",")} - {"le"} if found else set()
