"""docs/metrics.md is what the catalogue says."""

import pytest

from telemetry import metrics
from telemetry.document import TARGET, document

pytestmark = pytest.mark.unit


def test_the_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == document(), "run python -m telemetry.document"


def test_every_metric_has_its_row() -> None:
    assert all(each.name in document() for each in metrics.ALL)
