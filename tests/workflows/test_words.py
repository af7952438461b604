"""The states an engineer reads, where no browser test comes by."""

import pytest

from activities.contracts import AttemptFacts
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import VideoState
from workflows.contracts import OrderResult, VideoResult
from workflows.words import failure_words, order_ended, video_ended, videos_closed, waiting_for_kie

pytestmark = pytest.mark.unit

ATTEMPT = AttemptFacts(
    attempt_id="a1", state="ACCEPTED", account="alpha", key_id="k", video_model="m", typical_seconds=1
)


def test_a_lost_create_is_said_to_be_one() -> None:
    lost = waiting_for_kie(ATTEMPT, adopted=False, poll_seconds=30)
    assert "was lost on m (account alpha): it may have been bought" in lost
    assert "a poll in 0.4 s" in waiting_for_kie(ATTEMPT, adopted=True, poll_seconds=0.4)


@pytest.mark.parametrize(
    ("failure", "said", "words"),
    [
        (Failure(FailureClass.TIMED_OUT, code="KIE wait"), "", "TIMED_OUT KIE wait"),
        (Failure(FailureClass.UNKNOWN), "no", "UNKNOWN, answered: no"),
        (Failure(FailureClass.USER_VIOLATION, FailureReason.MINOR, "400"), "", "USER_VIOLATION 400 (minor)"),
    ],
)
def test_a_failure_is_class_code_reason_and_answer(failure: Failure, said: str, words: str) -> None:
    assert failure_words(failure, said) == words


def test_a_video_that_somebody_else_settled_says_only_what_is_known() -> None:
    assert video_ended(VideoResult(state=VideoState.CANCELLED, captured=False)) == "cancelled, refunded"


def test_videos_are_counted_as_they_close() -> None:
    assert videos_closed({}, 1) == "making: 0 of 1 video closed"
    closed = {"v2": VideoState.FAILED, "v1": VideoState.DELIVERED}
    assert videos_closed(closed, 3) == "making: 2 of 3 videos closed (delivered, failed)"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (OrderResult(outcome="not_reserved"), "x: not_reserved"),
        (OrderResult(outcome="cancelled", cancelled=3), "x: cancelled; 3 cancelled"),
        (
            OrderResult(outcome="BILLING", failed=1, code="insufficient_quota", said="You exceeded it"),
            "x: BILLING (insufficient_quota, answered: You exceeded it); 1 failed",
        ),
    ],
)
def test_an_order_ends_with_what_became_of_its_videos(result: OrderResult, words: str) -> None:
    assert order_ended("x", result) == words
