"""The reader of expressions finds what is read, and nothing else."""

import pytest

from tests.observability.given import last_sample, seconds_of
from tests.observability.promql import alternatives, filled, fits, names, selectors

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up", ["up"]),
        ('sum by (task_queue) (rate(a_total{job="worker"}[5m])) > 0', ['a_total{job="worker"}']),
        ("a / on() group_left() b or vector(0)", ["a", "b"]),
        ('max(m{x=~"(a|b)_c"}) and on (y) (z == bool 0)', ['m{x=~"(a|b)_c"}', "z"]),
        ("histogram_quantile(0.95, sum by (le) (rate(h_bucket[$__rate_interval])))", ["h_bucket"]),
        ("time() - max(t_seconds) > 26 * 3600", ["t_seconds"]),
        ("rule:name:ratio1h > 14.4 * 0.005", ["rule:name:ratio1h"]),
    ],
)
def test_selectors(expression: str, expected: list[str]) -> None:
    assert selectors(expression) == expected


@pytest.mark.parametrize(
    ("series", "selector", "expected"),
    [
        ("up", "up", True),
        ("up", "ups", False),
        ('up{job="bot"}', 'up{job="bot"}', True),
        ('up{job="worker",instance="a"}', 'up{job!~"bot|temporal"}', True),
        ('up{job="temporal"}', 'up{job!~"bot|temporal"}', False),
        ("up", 'up{job="bot"}', False),
        ("up", 'up{job!="bot"}', True),
        ('b{le="60.0"}', r'b{le=~"60(\\.0)?"}', True),
        ('b{le="600"}', r'b{le=~"60(\\.0)?"}', False),
    ],
)
def test_a_series_fits_or_not(series: str, selector: str, *, expected: bool) -> None:
    assert fits(series, selector) is expected


def test_alternatives_are_the_outermost() -> None:
    assert alternatives('a > 1 and (b or c) or d{x="or"} unless e') == [
        "a > 1 and (b or c)",
        'd{x="or"} unless e',
    ]


@pytest.mark.parametrize(
    ("values", "expected"), [("1", 0), ("1x3", 3), ("0+5x3 _ 2", 5), ("1 _x20", 0), ("1 2x3 _", 4)]
)
def test_the_last_sample(values: str, expected: int) -> None:
    assert last_sample(values) == expected


def test_spans() -> None:
    assert (seconds_of("1h30m"), seconds_of("9d")) == (5_400, 777_600)


def test_names_have_no_labels() -> None:
    assert names('a{b="c"} + d') == ["a", "d"]


def test_variables_are_filled() -> None:
    assert filled("rate(a[$__rate_interval])") == "rate(a[10m])"
