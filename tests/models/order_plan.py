"""What will happen to one order: drawn before it starts, so that a found example can be read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hypothesis import strategies as st

from domain.failures import FailureClass


class Create(StrEnum):
    ACCEPTED = "accepted"
    LOST_BOUGHT = "no answer, but bought"
    LOST = "no answer, nothing bought"
    DIED = "bought, and the worker died"
    NOT_SENT = "not sent"
    REJECTED = "rejected"
    TOO_EARLY = "too early, then accepted"


class End(StrEnum):
    SUCCESS = "success"
    FAIL = "fail"
    NEVER = "never"


class Callback(StrEnum):
    NEVER = "never"
    EARLY = "before the create's answer"
    LATE = "after the end was seen"
    TWICE = "early and late"
    FORGED = "with a foreign KIE task"


class Upload(StrEnum):
    GOOD = "good"
    UNREACHABLE = "unreachable once"
    REFUSED = "refused"


class Poll(StrEnum):
    GOOD = "good"
    UNREACHABLE = "unreachable"
    BROKEN = "broken"


class Result(StrEnum):
    GOOD = "good"
    UNREACHABLE = "unreachable"
    BROKEN = "broken"


class Send(StrEnum):
    SENT = "sent"
    REFUSED = "refused"
    BLOCKED = "blocked"
    RATE_LIMITED = "rate limited"
    NOT_SENT = "not sent"
    EDIT_LOST = "edit applied, no answer"
    EDIT_DROPPED = "edit not applied, no answer"
    NEW_LOST = "new message sent, no answer"
    NEW_DROPPED = "new message not sent, no answer"


class Trouble(StrEnum):
    CANCEL_ORDER = "order cancelled in the Web UI"
    CANCEL_VIDEO = "first video cancelled in the Web UI"
    CANCEL_ROWS = "cancelled by its user"
    DIE = "worker dies after the effect"


@dataclass(frozen=True)
class AttemptPlan:
    create: Create = Create.ACCEPTED
    end: End = End.SUCCESS
    failure_class: FailureClass = FailureClass.TEMPORARY
    seconds: int = 100
    callback: Callback = Callback.NEVER
    upload: Upload = Upload.GOOD
    polls: tuple[Poll, ...] = ()


@dataclass(frozen=True)
class VideoPlan:
    """What is not planned goes well."""

    queue_rounds: int = 0
    attempts: tuple[AttemptPlan, ...] = ()
    results: tuple[Result, ...] = ()
    sends: tuple[Send, ...] = ()


@dataclass(frozen=True)
class OrderPlan:
    """`troubles`: at which call of which activity what else happens."""

    videos: tuple[VideoPlan, ...] = (VideoPlan(),)
    reserved: bool = True
    refused_at: str = ""
    refused_as: FailureClass = FailureClass.USER_VIOLATION
    troubles: tuple[tuple[str, int, Trouble], ...] = ()


_BY_KIE: Final = st.sampled_from(
    [
        FailureClass.TEMPORARY,
        FailureClass.RATE_LIMIT,
        FailureClass.BILLING,
        FailureClass.MODEL_UNAVAILABLE,
        FailureClass.USER_VIOLATION,
        FailureClass.BAD_REQUEST,
        FailureClass.UNKNOWN,
    ]
)
_LATE_SECONDS: Final = 1_790  # just before KIE's time is over
PREPARING: Final = ("fetch_photo", "moderate_brief", "write_scripts")


def _tuples(kind: type[StrEnum], size: int) -> st.SearchStrategy[tuple[StrEnum, ...]]:
    """Mostly empty: each trouble has to be met by itself, too."""
    some = st.lists(st.sampled_from(kind), max_size=size).map(tuple)
    return st.one_of(st.just(()), some)


_ATTEMPTS: Final = st.builds(
    AttemptPlan,
    create=st.sampled_from([*Create, Create.ACCEPTED, Create.ACCEPTED]),
    end=st.sampled_from([End.SUCCESS, End.SUCCESS, End.FAIL, End.NEVER]),
    failure_class=_BY_KIE,
    seconds=st.sampled_from([5, 100, 500, _LATE_SECONDS]),
    callback=st.sampled_from(Callback),
    upload=st.sampled_from([Upload.GOOD, Upload.GOOD, *Upload]),
    polls=_tuples(Poll, 2),
)
_SLOW: Final = st.builds(
    lambda ends: tuple(AttemptPlan(end=end, seconds=1_200) for end in ends),
    st.sampled_from([(End.FAIL, End.FAIL, End.SUCCESS), (End.FAIL, End.FAIL, End.NEVER)]),
)
"""Together longer than an order may take."""
_VIDEOS: Final = st.builds(
    VideoPlan,
    queue_rounds=st.sampled_from([0, 0, 0, 1, 3, 30]),
    attempts=st.one_of(*[st.lists(_ATTEMPTS, max_size=4).map(tuple)] * 4, _SLOW),
    results=_tuples(Result, 4),
    sends=_tuples(Send, 4),
)
_CALLS: Final = (
    *PREPARING,
    *("reserve_credits", "open_video", "admit_video", "upload_photo", "create_kie_task", "check_kie_task"),
    *("fetch_result", "send_video", "settle_video", "settle_video", "ring", "tell_failure", "show_stage"),
)
_TROUBLES: Final = st.lists(
    st.tuples(st.sampled_from(_CALLS), st.sampled_from([1, 1, 1, 2]), st.sampled_from(Trouble)), max_size=3
).map(tuple)
PLANS: Final = st.builds(
    OrderPlan,
    videos=st.lists(_VIDEOS, min_size=1, max_size=2).map(tuple),
    reserved=st.sampled_from([True] * 9 + [False]),
    refused_at=st.sampled_from(["", "", "", "", "", "", *PREPARING]),
    refused_as=_BY_KIE,
    troubles=st.one_of(st.just(()), _TROUBLES),
)
