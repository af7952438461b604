"""The plan is made of the seed alone."""

import pytest

from tests.chaos.plan import (
    BOTS,
    SELLERS,
    WORKERS,
    Fate,
    Fault,
    FaultKind,
    Whim,
    plan_errands,
    plan_faults,
    weather_seed,
)

pytestmark = pytest.mark.unit

MINUTES = 3.0


def test_the_same_seed_makes_the_same_plan() -> None:
    assert plan_faults(7, MINUTES) == plan_faults(7, MINUTES)
    assert plan_errands(7, MINUTES) == plan_errands(7, MINUTES)
    assert weather_seed(7, "kie") == weather_seed(7, "kie")


def test_it_is_the_same_on_every_machine() -> None:
    first = plan_faults(7, MINUTES)[0]
    assert first == Fault(2.69, FaultKind.FREEZE, "bot-1", 5.87)


def test_another_seed_makes_another_plan() -> None:
    assert plan_faults(7, MINUTES) != plan_faults(8, MINUTES)
    assert plan_errands(7, MINUTES) != plan_errands(8, MINUTES)
    assert len({weather_seed(seed, name) for seed in (7, 8) for name in ("kie", "telegram")}) == 4


@pytest.mark.parametrize("minutes", [0.2, 0.5, 3.0])
def test_every_kind_of_fault_is_in_every_plan_and_none_comes_too_late(minutes: float) -> None:
    for seed in range(30):
        faults = plan_faults(seed, minutes)
        assert {fault.kind for fault in faults} == set(FaultKind)
        killed = {fault.target for fault in faults if fault.kind is FaultKind.KILL}
        assert killed >= {"postgres", "temporal"}
        assert killed & set(BOTS)
        assert killed & set(WORKERS)
        moments = [fault.at_seconds for fault in faults]
        assert moments == sorted(moments)
        assert 0 < moments[0] <= moments[-1] <= minutes * 60


def test_all_that_a_seller_may_meet_or_want_comes_up() -> None:
    errands = [errand for seed in range(5) for errand in plan_errands(seed, MINUTES)]
    assert {errand.fate for errand in errands} == set(Fate)
    assert {errand.whim for errand in errands} == set(Whim)
    assert {errand.count for errand in errands} == {1, 3, 5}
    assert {errand.template for errand in errands} == {"Own prompt", "UGC", "Ad"}
    assert {errand.seller for errand in errands} == set(range(SELLERS))


def test_no_two_orders_share_their_words() -> None:
    errands = plan_errands(7, MINUTES)
    words = [errand.words for errand in errands]
    assert not [(one, other) for one in words for other in words if one in other and one is not other]
