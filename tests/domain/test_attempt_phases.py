"""Every phase of an attempt against every event; what is not listed is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from domain.attempts import (
    AttemptEvent,
    AttemptPhase,
    AttemptRow,
    KieSaid,
    Outcome,
    TaskState,
    advance,
    standing_attempt,
)
from domain.failures import Failure, FailureClass
from domain.orders import AttemptState

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
TASK = "f" * 32
INTENT = AttemptRow("v-a1", "v", 1, 1, "model", "account", "key", AttemptState.INTENT, NOW)

P = AttemptPhase
E = AttemptEvent

# How to get there from INTENT.
PATHS: dict[AttemptPhase, list[AttemptEvent]] = {
    P.INTENT: [],
    P.SENDING: [E.START],
    P.NOT_SENT: [E.START, E.FAIL_TO_SEND],
    P.REJECTED: [E.START, E.REJECT],
    P.AMBIGUOUS: [E.START, E.LOSE_ANSWER],
    P.LOST: [E.START, E.LOSE_ANSWER, E.ABANDON],
    P.RUNNING: [E.START, E.ACCEPT],
    P.SUCCESS: [E.START, E.ACCEPT, E.SUCCEED],
    P.FAIL: [E.START, E.ACCEPT, E.FAIL],
    P.ABANDONED: [E.START, E.ACCEPT, E.ABANDON],
    P.LATE: [E.START, E.ACCEPT, E.ABANDON, E.SUCCEED],
}

# Columns: START, ACCEPT, REJECT, FAIL_TO_SEND, LOSE_ANSWER, SUCCEED, FAIL, ABANDON.
# "=" changes nothing, "-" is refused.
TABLE = """
INTENT     SENDING    -          -         -         -          -        -     NOT_SENT
SENDING    AMBIGUOUS  RUNNING    REJECTED  NOT_SENT  AMBIGUOUS  -        -     LOST
NOT_SENT   -          -          -         =         -          -        -     =
REJECTED   -          -          =         -         -          -        -     =
AMBIGUOUS  -          RUNNING    -         -         =          -        -     LOST
LOST       -          ABANDONED  -         -         =          -        -     =
RUNNING    -          =          -         -         -          SUCCESS  FAIL  ABANDONED
SUCCESS    -          =          -         -         -          =        -     =
FAIL       -          =          -         -         -          -        =     =
ABANDONED  -          =          -         -         -          LATE     LATE  =
LATE       -          =          -         -         -          =        =     =
"""
EXPECTED = {
    (phase, event): cell
    for phase, *cells in (line.split() for line in TABLE.strip().splitlines())
    for event, cell in zip(AttemptEvent, cells, strict=True)
}

SAID = {
    E.START: KieSaid(prompt="words"),
    E.ACCEPT: KieSaid(kie_task_id=TASK),
    E.REJECT: KieSaid(failure=Failure(FailureClass.TEMPORARY, code="500"), raw_answer="{}"),
    E.SUCCEED: KieSaid(result_urls=("https://files.example/1.mp4",), credits_consumed=55.0),
    E.FAIL: KieSaid(failure=Failure(FailureClass.TEMPORARY, code="fail"), credits_consumed=0.0),
}


def attempt_in(phase: AttemptPhase) -> AttemptRow:
    row = INTENT
    for event in PATHS[phase]:
        row = advance(row, event, NOW, SAID.get(event, KieSaid())).attempt
    assert row.phase is phase
    return row


@pytest.mark.parametrize(("phase", "event"), list(product(AttemptPhase, AttemptEvent)))
def test_every_event_in_every_phase(phase: AttemptPhase, event: AttemptEvent) -> None:
    before = attempt_in(phase)
    recorded = advance(before, event, LATER, SAID.get(event, KieSaid()))
    expected = EXPECTED[phase, event]
    if expected in {"-", "="}:
        assert recorded.attempt == before
        assert recorded.outcome is (Outcome.REFUSED if expected == "-" else Outcome.SAME)
    else:
        assert recorded.attempt.phase == expected
        assert recorded.outcome is (Outcome.LATE if expected == "LATE" else Outcome.CHANGED)


@pytest.mark.parametrize(("phase", "event"), [pair for pair, cell in EXPECTED.items() if cell not in "-="])
def test_an_event_repeated_changes_nothing_more(phase: AttemptPhase, event: AttemptEvent) -> None:
    said = SAID.get(AttemptEvent(event), KieSaid())
    once = advance(attempt_in(AttemptPhase(phase)), AttemptEvent(event), LATER, said)
    again = advance(once.attempt, AttemptEvent(event), LATER + timedelta(seconds=9), said)
    if AttemptEvent(event) is not E.START:  # the second START is somebody else, who found it SENDING
        assert again.attempt == once.attempt
        assert again.outcome is Outcome.SAME


@pytest.mark.parametrize("phase", [P.RUNNING, P.SUCCESS, P.FAIL, P.ABANDONED, P.LATE])
def test_another_kie_task_is_refused(phase: AttemptPhase) -> None:
    recorded = advance(attempt_in(phase), E.ACCEPT, LATER, KieSaid(kie_task_id="e" * 32))
    assert recorded.refused


def test_only_what_bought_nothing_allows_another_create() -> None:
    allowing = {phase for phase in AttemptPhase if attempt_in(phase).allows_another_create}
    assert allowing == {P.NOT_SENT, P.REJECTED, P.FAIL}


def test_the_standing_attempt_is_the_one_that_forbids() -> None:
    refused, running = attempt_in(P.REJECTED), replace(attempt_in(P.RUNNING), number=2)
    assert standing_attempt([refused, running]) is running
    assert standing_attempt([refused]) is None
    assert standing_attempt([]) is None


def test_an_answer_is_kept_as_far_as_it_can_be_stored() -> None:
    failure = Failure(FailureClass.UNKNOWN, code="9\x009")
    said = KieSaid(failure=failure, raw_answer="a\x00b" + "c" * 9_000)
    row = advance(attempt_in(P.SENDING), E.REJECT, LATER, said).attempt
    assert row.raw_answer.startswith("abc")
    assert len(row.raw_answer) == 4_000
    assert row.failure == Failure(FailureClass.UNKNOWN, code="99")


def test_moments_and_facts_are_written_once() -> None:
    row = attempt_in(P.SUCCESS)
    assert (row.sent_at, row.accepted_at, row.ended_at) == (NOW, NOW, NOW)
    assert (row.prompt, row.kie_task_id, row.credits_consumed) == ("words", TASK, 55.0)
    late = advance(attempt_in(P.ABANDONED), E.SUCCEED, LATER, SAID[E.SUCCEED]).attempt
    assert late.ended_at == LATER
    assert late.task_state is TaskState.ABANDONED
