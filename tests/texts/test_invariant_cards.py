"""However much is broken, it is one message."""

import html
import re

import pytest

from domain.orders import Language
from tests.texts.invariant_screens import invariant_screens

pytestmark = pytest.mark.unit

MESSAGE_UNITS_MAX = 4_096


@pytest.mark.parametrize("language", Language)
def test_all_that_can_be_broken_fits_into_one_message(language: Language) -> None:
    full, one, mended = (
        html.unescape(re.sub("<[^>]+>", "", card.text)) for card in invariant_screens(language)
    )
    assert len(full.encode("utf-16-le")) // 2 <= MESSAGE_UNITS_MAX
    assert full.count("1000000") == 12
    assert full.count("999995") == full.count("999997") == 6
    assert one.count("I1") == mended.count("I1") == 1
    assert "admin_main.py check" in one
    assert "admin_main.py check" not in mended
