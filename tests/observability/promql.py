"""Enough of PromQL to know what an expression asks for."""

import re
from typing import Final

from telemetry import metrics
from telemetry.instruments import Counter, Histogram

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_RANGE: Final = re.compile(r"\[[^\]]*\]")
_SELECTOR: Final = re.compile(r"(?<![\w:$.])([a-zA-Z_:][\w:]*)(\{[^}]*\})?(?!\s*\(|[\w:])")
_MATCHER: Final = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_WORDS: Final = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
_VARIABLES: Final = {"$__rate_interval": "10m", "$__range": "10m", "$__interval": "5s"}

ON_THE_WIRE: Final = frozenset(
    name
    for each in metrics.ALL
    for name in (
        [f"{each.name}_total"]
        if isinstance(each, Counter)
        else [f"{each.name}_seconds_{part}" for part in ("bucket", "count", "sum")]
        if isinstance(each, Histogram)
        else [each.name]
    )
)
"""Ours, as Prometheus sees them."""


def selectors(expression: str) -> list[str]:
    """What is read: `name{label="value"}`, without ranges."""
    text = _RANGE.sub("", _GROUPING.sub("", expression))
    return [
        f"{found[1]}{found[2] or ''}"
        for found in _SELECTOR.finditer(text)
        if found[1] not in _WORDS and not _is_in_a_string(text, found.start())
    ]


def alternatives(expression: str) -> list[str]:
    """What stands between the outermost `or`s."""
    parts, depth = [""], 0
    for word in re.split(r"(\"(?:[^\"\\]|\\.)*\"|[()]|\bor\b)", expression):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "or" and depth == 0:
            parts.append("")
        else:
            parts[-1] += word
    return [part.strip() for part in parts]


def fits(series: str, selector: str) -> bool:
    """Both as they are written: `name{label="value"}`."""
    name, _, labels = series.partition("{")
    wanted, _, matchers = selector.partition("{")
    given = {label: value for label, _, value in _MATCHER.findall(labels)}
    return name == wanted and all(
        _matches(given.get(label, ""), how, value.replace("\\\\", "\\"))
        for label, how, value in _MATCHER.findall(matchers)
    )


def _matches(given: str, how: str, wanted: str) -> bool:
    is_alike = bool(re.fullmatch(wanted, given)) if how.endswith("~") else given == wanted
    return is_alike != how.startswith("!")


def names(expression: str) -> list[str]:
    return [selector.partition("{")[0] for selector in selectors(expression)]


def filled(expression: str) -> str:
    """As Grafana would ask."""
    for variable, value in _VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


def _is_in_a_string(text: str, position: int) -> bool:
    return any(found.start() < position < found.end() for found in _STRING.finditer(text))
