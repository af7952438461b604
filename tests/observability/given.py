"""What a test for promtool gives an alert to look at."""

import re
from collections.abc import Iterable
from typing import Any, Final

from tests.observability.alerts import RECORDED, AlertRule
from tests.observability.promql import alternatives, fits, selectors

_SPAN: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_REPEATED: Final = re.compile(r".+x(\d+)")


def sees_something(alert: AlertRule, at: str, test: dict[str, Any]) -> bool:
    """One of the alternatives of its expression finds, at that time, all it asks for."""
    step = seconds_of(test["interval"])
    there = [
        each["series"]
        for each in test["input_series"]
        if last_sample(each["values"]) * step >= seconds_of(at)
    ]
    return any(_is_there(selectors(each), there) for each in alternatives(alert.expression))


def _is_there(asked: Iterable[str], there: list[str]) -> bool:
    return all(
        any(fits(given, selector) for given in there) or _is_made(selector, there) for selector in asked
    )


def _is_made(selector: str, there: list[str]) -> bool:
    """By a recorded rule, of whatever it finds."""
    return any(_is_there([each], there) for each in selectors(RECORDED.get(selector, "")))


def seconds_of(span: str) -> float:
    return sum(int(count) * _SECONDS[unit] for count, unit in _SPAN.findall(span))


def last_sample(values: str) -> int:
    """The number of the last one that is there: `1x3 _ 2` has five, the first is 0."""
    index, last = -1, -1
    for part in values.split():
        repeated = _REPEATED.fullmatch(part)
        is_gap = part.startswith(("_", "stale"))
        index += int(repeated[1]) + (not is_gap) if repeated else 1
        last = last if is_gap else index
    return last
