"""The alert rules as data, and as Prometheus would hand them to Alertmanager."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tests.observability.servers import RULES

_TEMPLATE: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class AlertRule:
    name: str
    file: str
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def anchor(self) -> str:
        """Of its section in the runbook."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", self.name).lower()

    def fired(self, value: str = "12", **labels: str) -> dict[str, Any]:
        """As Prometheus posts it."""
        shown = {
            name: _TEMPLATE.sub(lambda found: _filled(found[1], value, labels), text)
            for name, text in self.annotations.items()
        }
        return {"labels": {"alertname": self.name, **self.labels, **labels}, "annotations": shown}


def _filled(template: str, value: str, labels: Mapping[str, str]) -> str:
    return labels[template.removeprefix("$labels.")] if template.startswith("$labels.") else value


def _rules() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield path.name, rule


def _alert_rule(file: str, rule: dict[str, Any]) -> AlertRule:
    return AlertRule(rule["alert"], file, rule["expr"], rule["labels"], rule["annotations"])


ALERTS: Final = {rule["alert"]: _alert_rule(file, rule) for file, rule in _rules() if "alert" in rule}
RECORDED: Final = {rule["record"]: rule["expr"] for _, rule in _rules() if "record" in rule}
