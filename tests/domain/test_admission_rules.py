from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.admission import (
    AccountLoad,
    AdmissionLimits,
    BlockSpans,
    Script,
    Wish,
    acceptable_models,
    assign,
    none_serves,
    rate_limit_span,
    rooms,
    window_wait_seconds,
)
from domain.failures import Failure, FailureClass
from domain.orders import VideoOptions
from domain.video_models import CATALOGUE

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
LIMITS = AdmissionLimits()
KLING, SEEDANCE, SORA = "kling-2.6/image-to-video", "bytedance/seedance-1.5-pro", "sora-2-image-to-video"
SCRIPT = Script("A mug turns.", 800, 600)
NO_MODELS: frozenset[str] = frozenset()


def blocked(account: str, minutes: float, failure_class: FailureClass = FailureClass.BILLING) -> AccountLoad:
    return AccountLoad(account, serves_from=NOW + timedelta(minutes=minutes), failure_class=failure_class)


def test_room_is_what_both_limits_leave_to_a_serving_account() -> None:
    loads = [
        AccountLoad("fresh"),
        AccountLoad("full", in_flight=100),
        AccountLoad("over", in_flight=120),
        AccountLoad("bursting", in_flight=20, creates_in_window=16),
        blocked("out", 5),
    ]
    assert rooms(loads, LIMITS) == {"fresh": 18, "full": 0, "over": 0, "bursting": 2}


def test_the_queue_is_served_in_its_order() -> None:
    queue = [Wish("v1", (KLING,)), Wish("v2", (KLING,)), Wish("v3", (KLING,))]
    assert set(assign(queue, {"a": 1, "b": 1}, NO_MODELS)) == {"v1", "v2"}


def test_one_who_cannot_use_the_room_does_not_hold_up_the_others() -> None:
    queue = [Wish("v1", (KLING,), excluded_accounts=frozenset({"a"})), Wish("v2", (KLING,))]
    assert assign(queue, {"a": 1}, NO_MODELS).keys() == {"v2"}


def test_an_avoided_account_is_taken_only_where_there_is_no_other() -> None:
    wish = Wish("v1", (KLING,), avoided_accounts=frozenset({"a"}))
    assert assign([wish], {"a": 9, "b": 1}, NO_MODELS)["v1"].account == "b"
    assert assign([wish], {"a": 9, "b": 0}, NO_MODELS)["v1"].account == "a"


def test_the_first_model_that_does_not_rest_is_taken() -> None:
    wish = Wish("v1", (KLING, SEEDANCE))
    assert assign([wish], {"a": 1}, frozenset({KLING}))["v1"].video_model == SEEDANCE
    assert assign([wish], {"a": 1}, frozenset({KLING, SEEDANCE})) == {}


@given(
    room=st.dictionaries(st.sampled_from("abcd"), st.integers(0, 5)),
    wishes=st.lists(st.tuples(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))),
)
def test_room_is_never_overdrawn_and_never_left_to_waste(
    room: dict[str, int], wishes: list[tuple[set[str], set[str]]]
) -> None:
    queue = [
        Wish(f"v{n}", (KLING,), frozenset(excluded), frozenset(avoided))
        for n, (excluded, avoided) in enumerate(wishes)
    ]
    assigned = assign(queue, room, NO_MODELS)
    used = Counter(each.account for each in assigned.values())
    assert all(used[account] <= room[account] for account in used)
    assert all(
        assigned[w.video_id].account not in w.excluded_accounts for w in queue if w.video_id in assigned
    )
    open_accounts = {account for account, count in room.items() if count > used[account]}
    assert all(open_accounts <= w.excluded_accounts for w in queue if w.video_id not in assigned)


def test_paused_and_excluded_models_are_left_out() -> None:
    preferred = (SORA, KLING, SEEDANCE)
    assert acceptable_models(preferred, (), SCRIPT, CATALOGUE) == (KLING, SEEDANCE)
    assert acceptable_models(preferred, (KLING,), SCRIPT, CATALOGUE) == (SEEDANCE,)
    nothing = Failure(FailureClass.MODEL_UNAVAILABLE)
    assert acceptable_models((SORA,), (), SCRIPT, CATALOGUE) == nothing
    assert acceptable_models(preferred, (KLING, SEEDANCE), SCRIPT, CATALOGUE) == nothing


def test_a_model_that_cannot_take_the_input_is_skipped() -> None:
    long = Script("x" * 1_500, 800, 600)
    webp = Script("A mug turns.", 800, 600, "webp")
    assert acceptable_models((KLING, SEEDANCE), (), long, CATALOGUE) == (SEEDANCE,)
    assert acceptable_models((KLING, SEEDANCE), (), webp, CATALOGUE) == (SEEDANCE,)


def test_input_no_model_takes_is_our_own_mistake() -> None:
    answer = acceptable_models((KLING,), (), Script("x" * 1_500, 800, 600), CATALOGUE)
    assert isinstance(answer, Failure)
    assert answer.failure_class is FailureClass.BAD_REQUEST
    assert "1500 characters" in answer.code


def test_only_models_that_can_take_the_options_are_acceptable() -> None:
    landscape = Script("A mug turns.", 800, 600, options=VideoOptions("16:9"))
    long = Script("A mug turns.", 800, 600, options=VideoOptions(seconds=10))
    assert acceptable_models((KLING, SEEDANCE), (), landscape, CATALOGUE) == (SEEDANCE,)
    assert acceptable_models((KLING, SEEDANCE), (), long, CATALOGUE) == (KLING, SEEDANCE)


def test_options_nobody_takes_are_told_from_a_model_that_rests() -> None:
    landscape = Script("A mug turns.", 800, 600, options=VideoOptions("16:9"))
    never = acceptable_models((KLING,), (), landscape, CATALOGUE)
    assert never == Failure(FailureClass.BAD_REQUEST, code="no choice of 16:9")
    today = Failure(FailureClass.MODEL_UNAVAILABLE)
    assert acceptable_models((KLING, SEEDANCE), (SEEDANCE,), landscape, CATALOGUE) == today
    assert acceptable_models((KLING, SORA), (), landscape, CATALOGUE) == today


def test_waiting_has_sense_while_an_account_serves_or_soon_will() -> None:
    wish = Wish("v1", (KLING,))
    soon = [blocked("a", 1, FailureClass.RATE_LIMIT), blocked("b", 600)]
    assert none_serves(wish, soon, NO_MODELS, NOW, 900) is None
    assert none_serves(wish, [AccountLoad("a", in_flight=100)], NO_MODELS, NOW, 900) is None


def test_why_none_serves() -> None:
    wish = Wish("v1", (KLING,), excluded_accounts=frozenset({"a"}))
    empty = [AccountLoad("a"), blocked("b", 600)]
    busy = [AccountLoad("a"), blocked("b", 600), blocked("c", 50, FailureClass.RATE_LIMIT)]
    assert none_serves(wish, empty, NO_MODELS, NOW, 900) == Failure(FailureClass.BILLING)
    assert none_serves(wish, busy, NO_MODELS, NOW, 900) == Failure(FailureClass.RATE_LIMIT)
    resting = Failure(FailureClass.MODEL_UNAVAILABLE)
    assert none_serves(wish, [AccountLoad("b")], frozenset({KLING}), NOW, 900) == resting


def test_only_the_last_serving_account_gets_a_pause_instead_of_a_block() -> None:
    spans = BlockSpans()
    assert rate_limit_span("a", [AccountLoad("a"), AccountLoad("b")], spans) == 3_600
    assert rate_limit_span("a", [AccountLoad("a"), blocked("b", 5)], spans) == 60
    assert rate_limit_span("a", [AccountLoad("a")], spans.scaled(0.1)) == pytest.approx(6)


def test_the_next_create_waits_until_enough_have_left_the_window() -> None:
    limits = AdmissionLimits(creates_per_window=2)
    sent = [NOW - timedelta(seconds=ago) for ago in (1, 4, 9, 30)]
    assert window_wait_seconds(sent, NOW, limits) == pytest.approx(6)
    assert window_wait_seconds(sent[2:], NOW, limits) == 0
    assert window_wait_seconds([NOW] * 2, NOW, limits) == pytest.approx(10)
