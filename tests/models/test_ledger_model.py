"""Credits on a real PostgreSQL against a model of a few lines; `MODEL_EXAMPLES=2000` for a long search."""

import pytest

from tests.models.ledger_search import search
from tests.models.searching import EXAMPLES, options

CI_EXAMPLES = 30


@pytest.mark.timeout(400 + 5 * EXAMPLES)
def test_the_ledger_does_what_its_model_does(database_url: str, owner_url: str) -> None:
    search(database_url, owner_url, options(CI_EXAMPLES))
