"""Workflows of an order in the time-skipping server, whatever KIE, Telegram, users and workers do to it."""

import pytest

from tests.models.order_search import search
from tests.models.searching import EXAMPLES, options

CI_EXAMPLES = 60


@pytest.mark.timeout(400 + 5 * EXAMPLES)
def test_an_order_ends_well_whatever_happens() -> None:
    search(options(CI_EXAMPLES))
