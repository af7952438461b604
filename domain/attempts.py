"""One create call at KIE: its row, and the only place that says how the row may change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.failures import Failure
from domain.orders import AttemptState

RAW_ANSWER_CHARS_MAX: Final = 4_000


class TaskState(StrEnum):
    """The KIE task of an attempt. ABANDONED: nobody waits for it any more."""

    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    ABANDONED = "ABANDONED"


class AttemptPhase(StrEnum):
    """State and task state together: what decides which events an attempt may still take."""

    INTENT = "INTENT"
    SENDING = "SENDING"
    NOT_SENT = "NOT_SENT"
    REJECTED = "REJECTED"
    AMBIGUOUS = "AMBIGUOUS"
    LOST = "LOST"  # ambiguous until its time was over: perhaps bought, its KIE task unknown
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    ABANDONED = "ABANDONED"
    LATE = "LATE"  # abandoned, and then KIE finished it: counted, never delivered


class AttemptEvent(StrEnum):
    START = "START"
    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    FAIL_TO_SEND = "FAIL_TO_SEND"
    LOSE_ANSWER = "LOSE_ANSWER"
    SUCCEED = "SUCCEED"
    FAIL = "FAIL"
    ABANDON = "ABANDON"


@dataclass(frozen=True, slots=True)
class AttemptRow:
    id: str
    video_id: str
    user_id: int
    number: int
    video_model: str
    account: str
    key_id: str
    state: AttemptState
    admitted_at: datetime
    kie_task_id: str | None = None
    prompt: str | None = None
    task_state: TaskState | None = None
    result_urls: tuple[str, ...] = ()
    failure: Failure | None = None
    raw_answer: str = ""
    credits_consumed: float | None = None
    sent_at: datetime | None = None
    accepted_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def phase(self) -> AttemptPhase:
        if self.task_state is TaskState.ABANDONED:
            return self._abandoned_phase
        return AttemptPhase(self.task_state if self.task_state is not None else self.state)

    @property
    def _abandoned_phase(self) -> AttemptPhase:
        if self.state is AttemptState.AMBIGUOUS:
            return AttemptPhase.LOST
        return AttemptPhase.ABANDONED if self.ended_at is None else AttemptPhase.LATE

    @property
    def allows_another_create(self) -> bool:
        """A second create beside, or after, what may have been bought would buy twice."""
        return self.phase in _BOUGHT_NOTHING


@dataclass(frozen=True, slots=True)
class KieSaid:
    """What came with an event. Empty fields leave the row as it is."""

    kie_task_id: str | None = None
    prompt: str | None = None
    failure: Failure | None = None
    raw_answer: str = ""
    result_urls: tuple[str, ...] = ()
    credits_consumed: float | None = None


NOTHING_SAID: Final = KieSaid()


class Outcome(StrEnum):
    CHANGED = "CHANGED"
    SAME = "SAME"  # written before: nothing to do
    LATE = "LATE"  # taken note of, for the accounts only
    REFUSED = "REFUSED"  # not from this state, or not with this KIE task


@dataclass(frozen=True, slots=True)
class Recorded:
    """`attempt` is the row as it is now, whatever the outcome."""

    outcome: Outcome
    attempt: AttemptRow

    @property
    def refused(self) -> bool:
        return self.outcome is Outcome.REFUSED


_P: Final = AttemptPhase
_E: Final = AttemptEvent

_BOUGHT_NOTHING: Final = frozenset({_P.NOT_SENT, _P.REJECTED, _P.FAIL})
_ENDED: Final = frozenset({_P.NOT_SENT, _P.REJECTED, _P.SUCCESS, _P.FAIL, _P.LATE})

# From a phase with an event into a phase; the same phase: it happened before. What is missing is refused.
# Only SENDING can become NOT_SENT or REJECTED: after it was found AMBIGUOUS its sender no longer knows.
TRANSITIONS: Final[dict[tuple[AttemptPhase, AttemptEvent], AttemptPhase]] = {
    (_P.INTENT, _E.START): _P.SENDING,
    (_P.INTENT, _E.ABANDON): _P.NOT_SENT,
    (_P.SENDING, _E.START): _P.AMBIGUOUS,  # an earlier sender did not live to write its answer
    (_P.SENDING, _E.ACCEPT): _P.RUNNING,
    (_P.SENDING, _E.REJECT): _P.REJECTED,
    (_P.SENDING, _E.FAIL_TO_SEND): _P.NOT_SENT,
    (_P.SENDING, _E.LOSE_ANSWER): _P.AMBIGUOUS,
    (_P.SENDING, _E.ABANDON): _P.LOST,
    (_P.NOT_SENT, _E.FAIL_TO_SEND): _P.NOT_SENT,
    (_P.NOT_SENT, _E.ABANDON): _P.NOT_SENT,
    (_P.REJECTED, _E.REJECT): _P.REJECTED,
    (_P.REJECTED, _E.ABANDON): _P.REJECTED,
    (_P.AMBIGUOUS, _E.ACCEPT): _P.RUNNING,
    (_P.AMBIGUOUS, _E.LOSE_ANSWER): _P.AMBIGUOUS,
    (_P.AMBIGUOUS, _E.ABANDON): _P.LOST,
    (_P.LOST, _E.ACCEPT): _P.ABANDONED,
    (_P.LOST, _E.LOSE_ANSWER): _P.LOST,
    (_P.LOST, _E.ABANDON): _P.LOST,
    (_P.RUNNING, _E.ACCEPT): _P.RUNNING,
    (_P.RUNNING, _E.SUCCEED): _P.SUCCESS,
    (_P.RUNNING, _E.FAIL): _P.FAIL,
    (_P.RUNNING, _E.ABANDON): _P.ABANDONED,
    (_P.SUCCESS, _E.ACCEPT): _P.SUCCESS,
    (_P.SUCCESS, _E.SUCCEED): _P.SUCCESS,
    (_P.SUCCESS, _E.ABANDON): _P.SUCCESS,
    (_P.FAIL, _E.ACCEPT): _P.FAIL,
    (_P.FAIL, _E.FAIL): _P.FAIL,
    (_P.FAIL, _E.ABANDON): _P.FAIL,
    (_P.ABANDONED, _E.ACCEPT): _P.ABANDONED,
    (_P.ABANDONED, _E.SUCCEED): _P.LATE,
    (_P.ABANDONED, _E.FAIL): _P.LATE,
    (_P.ABANDONED, _E.ABANDON): _P.ABANDONED,
    (_P.LATE, _E.ACCEPT): _P.LATE,
    (_P.LATE, _E.SUCCEED): _P.LATE,
    (_P.LATE, _E.FAIL): _P.LATE,
    (_P.LATE, _E.ABANDON): _P.LATE,
}

_COLUMNS: Final[dict[AttemptPhase, tuple[AttemptState, TaskState | None]]] = {
    _P.INTENT: (AttemptState.INTENT, None),
    _P.SENDING: (AttemptState.SENDING, None),
    _P.NOT_SENT: (AttemptState.NOT_SENT, None),
    _P.REJECTED: (AttemptState.REJECTED, None),
    _P.AMBIGUOUS: (AttemptState.AMBIGUOUS, None),
    _P.LOST: (AttemptState.AMBIGUOUS, TaskState.ABANDONED),
    _P.RUNNING: (AttemptState.ACCEPTED, TaskState.RUNNING),
    _P.SUCCESS: (AttemptState.ACCEPTED, TaskState.SUCCESS),
    _P.FAIL: (AttemptState.ACCEPTED, TaskState.FAIL),
    _P.ABANDONED: (AttemptState.ACCEPTED, TaskState.ABANDONED),
    _P.LATE: (AttemptState.ACCEPTED, TaskState.ABANDONED),
}


def advance(row: AttemptRow, event: AttemptEvent, now: datetime, said: KieSaid = NOTHING_SAID) -> Recorded:
    """Decide what the event makes of the row. Asking twice changes nothing more."""
    phase = TRANSITIONS.get((row.phase, event))
    if phase is None or _other_kie_task(row, said):
        return Recorded(Outcome.REFUSED, row)
    if phase is row.phase:
        return Recorded(Outcome.SAME, row)
    outcome = Outcome.LATE if phase is AttemptPhase.LATE else Outcome.CHANGED
    return Recorded(outcome, _moved(row, phase, now, said))


def standing_attempt(attempts: Sequence[AttemptRow]) -> AttemptRow | None:
    """The attempt that forbids a new one."""
    return next((attempt for attempt in reversed(attempts) if not attempt.allows_another_create), None)


def _other_kie_task(row: AttemptRow, said: KieSaid) -> bool:
    return None not in {row.kie_task_id, said.kie_task_id} and row.kie_task_id != said.kie_task_id


def _moved(row: AttemptRow, phase: AttemptPhase, now: datetime, said: KieSaid) -> AttemptRow:
    state, task_state = _COLUMNS[phase]
    return replace(
        row,
        state=state,
        task_state=task_state,
        kie_task_id=row.kie_task_id or said.kie_task_id,
        prompt=row.prompt if said.prompt is None else said.prompt,
        result_urls=said.result_urls or row.result_urls,
        failure=_storable_failure(said.failure) or row.failure,
        raw_answer=_storable(said.raw_answer) or row.raw_answer,
        credits_consumed=row.credits_consumed if said.credits_consumed is None else said.credits_consumed,
        sent_at=now if phase is AttemptPhase.SENDING else row.sent_at,
        accepted_at=now if row.accepted_at is None and state is AttemptState.ACCEPTED else row.accepted_at,
        ended_at=now if phase in _ENDED else row.ended_at,
    )


def _storable_failure(failure: Failure | None) -> Failure | None:
    return None if failure is None else replace(failure, code=_storable(failure.code))


def _storable(raw_answer: str) -> str:
    """PostgreSQL keeps no NUL characters, and nobody reads a whole web page."""
    return raw_answer.replace("\x00", "")[:RAW_ANSWER_CHARS_MAX]
