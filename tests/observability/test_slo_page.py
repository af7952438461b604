"""docs/slo.md says what the rules do."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.observability.alerts import ALERTS, RECORDED

pytestmark = pytest.mark.unit

PAGE: Final = (Path(__file__).parents[2] / "docs" / "slo.md").read_text()


@pytest.mark.parametrize("promise", ["answers", "deliveries", "settlements"])
def test_the_share_is_the_one_that_is_recorded(promise: str) -> None:
    assert _bare(RECORDED[f"neurocards:{promise}_bad:ratio6h"]) in _bare(PAGE)


@pytest.mark.parametrize(
    "name",
    [
        *("neurocards:answers_own:bool", "neurocards:answers_bad:rate5m"),
        *("neurocards:deliveries_own:bool", "neurocards:deliveries_bad:rate5m"),
        *("neurocards:own_fault:bool", "neurocards:settlements_bad:rate5m"),
    ],
)
def test_what_is_promised_apart(name: str) -> None:
    assert _bare(f"{name} = {RECORDED[name]}") in _bare(PAGE)


@pytest.mark.parametrize("name", [name for name in ALERTS if "SloBurn" in name])
def test_each_alert_of_a_promise_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE


def _bare(text: str) -> str:
    return re.sub(r"[\s()]", "", text)
