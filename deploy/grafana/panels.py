"""Dashboards as data: rows of panels, laid out from left to right, written as Grafana's JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

COLUMNS: Final = 24
PANEL_HEIGHT: Final = 8
STAT_HEIGHT: Final = 4
SCHEMA_VERSION: Final = 41  # of Grafana 12; newer ones bring it up to date when they load it
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


class Unit(StrEnum):
    """Grafana's names."""

    COUNT = "short"
    SECONDS = "s"
    SHARE = "percentunit"
    BYTES = "bytes"
    PER_SECOND = "ops"
    AGO = "dtdurations"


class Kind(StrEnum):
    TIME_SERIES = "timeseries"
    STAT = "stat"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Query:
    """`legend` names the labels that tell one line from another: `{{task_queue}}`."""

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    description: str
    unit: Unit
    queries: tuple[Query, ...]
    kind: Kind = Kind.TIME_SERIES
    width: int = 8
    stacked: bool = False

    @property
    def height(self) -> int:
        return STAT_HEIGHT if self.kind is Kind.STAT else PANEL_HEIGHT


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    name: str
    title: str
    sections: tuple[Section, ...]
    since: str = "now-6h"

    def to_json(self) -> str:
        return json.dumps(self._model(), indent=2, ensure_ascii=False) + "\n"

    def _model(self) -> dict[str, Any]:
        return {
            "uid": f"neurocards-{self.name}",
            "title": f"Neurocards: {self.title}",
            "tags": ["neurocards"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": self.since, "to": "now"},
            "timezone": "browser",
            "templating": {"list": [_DATASOURCE_VARIABLE]},
            "links": [_OTHER_DASHBOARDS],
            "panels": list(_placed(self.sections)),
        }


_DATASOURCE_VARIABLE: Final = {
    "name": "datasource",
    "type": "datasource",
    "query": "prometheus",
    "label": "Prometheus",
    "hide": 2,
}
_OTHER_DASHBOARDS: Final = {
    "title": "Neurocards",
    "type": "dashboards",
    "tags": ["neurocards"],
    "asDropdown": True,
    "keepTime": True,
}


def _placed(sections: Sequence[Section]) -> Iterator[dict[str, Any]]:
    number, top = 1, 0
    for section in sections:
        yield {"id": number, "type": "row", "title": section.title, "collapsed": False, "panels": []} | _at(
            0, top, COLUMNS, 1
        )
        number, top = number + 1, top + 1
        left, line_height = 0, 0
        for panel in section.panels:
            if left + panel.width > COLUMNS:
                left, top, line_height = 0, top + line_height, 0
            yield {"id": number} | _drawn(panel) | _at(left, top, panel.width, panel.height)
            number, left, line_height = number + 1, left + panel.width, max(line_height, panel.height)
        top += line_height


def _at(left: int, top: int, width: int, height: int) -> dict[str, Any]:
    return {"gridPos": {"x": left, "y": top, "w": width, "h": height}}


def _drawn(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit.value, "custom": _custom(panel)}, "overrides": []},
        "options": _OPTIONS[panel.kind],
        "targets": [
            _target(panel, letter, query) for letter, query in zip("ABCDEFGH", panel.queries, strict=False)
        ],
    }


def _target(panel: Panel, letter: str, query: Query) -> dict[str, Any]:
    at_once = panel.kind is not Kind.TIME_SERIES
    return {
        "refId": letter,
        "datasource": _SOURCE,
        "expr": query.expression,
        "legendFormat": query.legend,
        "instant": at_once,
        "range": not at_once,
        "format": "table" if panel.kind is Kind.TABLE else "time_series",
    }


def _custom(panel: Panel) -> dict[str, Any]:
    if panel.kind is not Kind.TIME_SERIES:
        return {}
    mode = "normal" if panel.stacked else "none"
    return {
        "lineWidth": 1,
        "fillOpacity": 30 if panel.stacked else 5,
        "showPoints": "never",
        "spanNulls": True,
        "stacking": {"mode": mode, "group": "A"},
    }


_OPTIONS: Final[dict[Kind, dict[str, Any]]] = {
    Kind.TIME_SERIES: {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    Kind.STAT: {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
    },
    Kind.TABLE: {"showHeader": True},
}


def rate(metric: str, by: str, where: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{_selector(where)}[$__rate_interval]))"


def quantile(share: float, histogram: str, by: str = "", where: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    buckets = f"rate({histogram}_bucket{_selector(where)}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({labels}) ({buckets}))"


def day(metric: str, where: str = "") -> str:
    return f"sum(increase({metric}{_selector(where)}[24h]))"


def half_and_most(histogram: str, where: str = "") -> tuple[Query, ...]:
    """How long half of them take at most, and all but one in twenty."""
    return (
        Query(quantile(0.5, histogram, where=where), "half within"),
        Query(quantile(0.95, histogram, where=where), "95 % within"),
    )


def _selector(where: str) -> str:
    return f"{{{where}}}" if where else ""
