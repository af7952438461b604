"""How long one more order would take."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from domain.admission import AccountLoad, AdmissionLimits, Outlook, outlook_of

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
LIMITS = AdmissionLimits(in_flight_max=100, wait_max_seconds=900)


def outlook(waiting: int = 0, in_flight: int = 0, *serves_in_seconds: float) -> Outlook:
    loads = [
        AccountLoad(f"a{number}", serves_from=NOW + timedelta(seconds=seconds) if seconds else None)
        for number, seconds in enumerate(serves_in_seconds or (0,))
    ]
    return outlook_of(loads, waiting, in_flight, 120.0, NOW, LIMITS)


@pytest.mark.parametrize(
    ("waiting", "in_flight", "count", "minutes"),
    [(0, 0, 1, 2), (0, 99, 1, 2), (0, 100, 50, 3), (395, 100, 5, 10), (1_400, 100, 0, 30)],
)
def test_whatever_is_ahead_is_made_in_rounds(
    waiting: int, in_flight: int, count: int, minutes: float
) -> None:
    assert outlook(waiting, in_flight).expected_wait_seconds(count) == minutes * 60


def test_accounts_that_serve_make_side_by_side() -> None:
    assert outlook(300, 100, 0, 0).expected_wait_seconds(0) == outlook(100, 100).expected_wait_seconds(0)


def test_a_pause_delays_and_a_long_block_takes_the_account_out() -> None:
    assert outlook(0, 0, 60).expected_wait_seconds(1) == 180
    assert outlook(0, 0, 60, 0).expected_wait_seconds(1) == 120
    assert outlook(200, 0, 0, 86_400).in_flight_max == 100
    assert outlook(0, 0, 86_400).expected_wait_seconds(1) == math.inf
    assert outlook(0, 0, 86_400).room_within(600) == 0


def test_who_knows_no_account_supposes_one() -> None:
    assert outlook_of([], 0, 0, 120.0, NOW, LIMITS).expected_wait_seconds(1) == 120


@pytest.mark.parametrize("waiting", [0, 100, 399, 499, 500, 2_000])
def test_room_is_what_still_fits_into_the_time(waiting: int) -> None:
    now = outlook(waiting)
    room = now.room_within(600)
    assert now.expected_wait_seconds(room) <= 600 or room == 0
    assert now.expected_wait_seconds(room + 1) > 600
