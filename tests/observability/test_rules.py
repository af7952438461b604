"""promtool takes the rules, and each alert fires and keeps still where its tests say so."""

import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.observability.alerts import ALERTS, AlertRule
from tests.observability.given import sees_something
from tests.observability.servers import RULES
from tests.tools import tool

TESTS: Final = sorted((Path(__file__).parent / "rules").glob("*.test.yml"))
RUNBOOK: Final = Path(__file__).parents[2] / "docs" / "runbook.md"
ALWAYS_FIRING: Final = {"Watchdog"}  # it is meant to
DESCRIPTION_LETTERS_MAX: Final = 300


def test_promtool_takes_the_rules() -> None:
    checked = _promtool("check", "rules", *RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_alerts_fire_and_keep_still(path: Path) -> None:
    checked = _promtool("test", "rules", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alert_is_tried_both_ways() -> None:
    """That it keeps still where there is nothing to look at says nothing."""
    tried = _tried()
    assert set(tried) == set(ALERTS)
    for name, outcomes in tried.items():
        assert outcomes == ({True} if name in ALWAYS_FIRING else {True, False}), name


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_an_alert_says_what_a_person_needs(alert: AlertRule) -> None:
    assert alert.labels["severity"] in {"critical", "warning"} | ({"none"} & {alert.labels["severity"]})
    assert (alert.labels["severity"] == "none") == (alert.name in ALWAYS_FIRING)
    assert set(alert.annotations) == {"summary", "description", "runbook_url"}
    assert alert.annotations["runbook_url"] == f"docs/runbook.md#{alert.anchor}"
    assert alert.annotations["description"].endswith(".")
    assert not alert.annotations["summary"].endswith(".")
    assert len(alert.annotations["description"]) <= DESCRIPTION_LETTERS_MAX


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_the_runbook_has_a_section(alert: AlertRule) -> None:
    assert alert.anchor in _anchors(RUNBOOK.read_text())


def test_bucket_limits_fit_both_prometheuses() -> None:
    """3 writes whole numbers as 60.0, 2 as 60: a selector for one of them finds nothing in the other."""
    for path in RULES:
        whole = re.findall(r'le="(\d+)"', path.read_text())
        assert whole == [], path.name


def _anchors(markdown: str) -> set[str]:
    """As GitHub makes them of headings; a few are written out."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    made = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a (?:id|name)="([^"]+)"', markdown))


def _tried() -> dict[str, set[bool]]:
    outcomes: dict[str, set[bool]] = defaultdict(set)
    for path in TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                if case["exp_alerts"] or sees_something(ALERTS[case["alertname"]], case["eval_time"], test):
                    outcomes[case["alertname"]].add(bool(case["exp_alerts"]))
    return outcomes


def _promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - Debian's own program
        [tool("promtool"), *arguments], capture_output=True, text=True, timeout=170, check=False
    )
