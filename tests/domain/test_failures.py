from dataclasses import replace

import pytest

from domain.failures import (
    CLASS_POLICIES,
    FailedCreate,
    Failure,
    FailureClass,
    NextCreate,
    next_create,
)

pytestmark = pytest.mark.unit

ONE_TRY = [
    FailureClass.USER_VIOLATION,
    FailureClass.BAD_REQUEST,
    FailureClass.TIMED_OUT,
    FailureClass.RESULT,
    FailureClass.DELIVERY,
    FailureClass.UNKNOWN,
]


def failed(failure_class: FailureClass, account: str = "a", video_model: str = "m") -> FailedCreate:
    return FailedCreate(account, video_model, Failure(failure_class))


def decided(*failures: FailedCreate) -> NextCreate:
    plan = next_create(failures)
    assert plan is not None
    return plan


def test_every_class_has_a_policy() -> None:
    assert set(CLASS_POLICIES) == set(FailureClass)


@pytest.mark.parametrize("failure_class", ONE_TRY)
def test_is_not_tried_again(failure_class: FailureClass) -> None:
    assert next_create([failed(failure_class)]) is None


@pytest.mark.parametrize(
    ("failure_class", "delays"),
    [(FailureClass.RATE_LIMIT, [60.0, 120.0]), (FailureClass.TEMPORARY, [10.0, 20.0])],
)
def test_three_creates_with_their_delays(failure_class: FailureClass, delays: list[float]) -> None:
    seen = [decided(*[failed(failure_class)] * tries).delay_seconds for tries in (1, 2)]
    assert seen == delays
    assert next_create([failed(failure_class)] * 3) is None


def test_a_fourth_create_waits_40_seconds_where_it_is_configured() -> None:
    four = {
        **CLASS_POLICIES,
        FailureClass.TEMPORARY: replace(CLASS_POLICIES[FailureClass.TEMPORARY], creates_max=4),
    }
    plan = next_create([failed(FailureClass.TEMPORARY)] * 3, four)
    assert plan is not None
    assert plan.delay_seconds == 40.0
    assert next_create([failed(FailureClass.TEMPORARY)] * 4, four) is None


def test_billing_goes_at_once_to_each_other_account_once() -> None:
    plan = decided(failed(FailureClass.BILLING, "a"), failed(FailureClass.BILLING, "b"))
    assert plan == NextCreate(delay_seconds=0.0, excluded_accounts=("a", "b"))


def test_rate_limit_prefers_another_account_but_may_come_back() -> None:
    plan = decided(failed(FailureClass.RATE_LIMIT, "a"), failed(FailureClass.RATE_LIMIT, "b"))
    assert plan.avoided_accounts == ("a", "b")
    assert plan.excluded_accounts == ()


def test_model_unavailable_goes_at_once_to_the_next_model() -> None:
    plan = decided(failed(FailureClass.MODEL_UNAVAILABLE, "a", "sora"))
    assert plan == NextCreate(delay_seconds=0.0, excluded_models=("sora",))


def test_eleven_accounts_and_every_model_can_be_tried() -> None:
    assert next_create([failed(FailureClass.BILLING, f"a{n}") for n in range(10)]) is not None
    assert next_create([failed(FailureClass.MODEL_UNAVAILABLE, video_model=f"m{n}") for n in range(10)])


def test_counters_do_not_mix() -> None:
    history = [
        failed(FailureClass.TEMPORARY),
        failed(FailureClass.RATE_LIMIT),
        failed(FailureClass.TEMPORARY),
        failed(FailureClass.RATE_LIMIT),
    ]
    assert decided(*history).delay_seconds == 120.0
    assert decided(*history, failed(FailureClass.BILLING)).delay_seconds == 0.0
    assert next_create([*history, failed(FailureClass.TEMPORARY)]) is None


def test_what_is_left_out_is_remembered_when_the_next_failure_is_another() -> None:
    plan = decided(
        failed(FailureClass.BILLING, "empty"),
        failed(FailureClass.RATE_LIMIT, "busy"),
        failed(FailureClass.MODEL_UNAVAILABLE, "c", "paused"),
        failed(FailureClass.TEMPORARY, "c", "other"),
    )
    assert plan == NextCreate(10.0, ("empty",), ("busy",), ("paused",))
