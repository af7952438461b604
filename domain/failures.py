"""The expected ways to fail, and what happens after each. A bug is not one of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FailureClass(StrEnum):
    """The `type` of the ApplicationError, the search attribute, and the metric label."""

    USER_VIOLATION = "USER_VIOLATION"
    BILLING = "BILLING"
    RATE_LIMIT = "RATE_LIMIT"
    TEMPORARY = "TEMPORARY"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    BAD_REQUEST = "BAD_REQUEST"
    TIMED_OUT = "TIMED_OUT"
    RESULT = "RESULT"
    DELIVERY = "DELIVERY"
    UNKNOWN = "UNKNOWN"


ALREADY_SETTLED: Final = "ALREADY_SETTLED"
"""ApplicationError type: the video's rows are closed, so its workflow has nothing left to do."""


class FailureReason(StrEnum):
    """What a person can act on; picks the sentence they read. Never a provider's text."""

    NONE = "none"
    PERSON = "person"
    MINOR = "minor"
    BRAND = "brand"
    ADULT = "adult"
    CONTENT = "content"
    NO_PRODUCT = "no_product"
    BLURRED = "blurred"
    COVERED = "covered"
    PHOTO_FORMAT = "photo_format"
    PHOTO_TOO_SMALL = "photo_too_small"
    PHOTO_TOO_LARGE = "photo_too_large"
    PHOTO_GONE = "photo_gone"
    RESTORED = "restored"  # the database is older than the order: what became of it nobody knows


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call, as the workflow decides on it. `code` is the provider's, for engineers."""

    failure_class: FailureClass
    reason: FailureReason = FailureReason.NONE
    code: str = ""


@dataclass(frozen=True, slots=True)
class ClassPolicy:
    """What a failure class means. `creates_max` counts create calls, the first included."""

    creates_max: int
    retry_delays_seconds: tuple[float, ...] = ()
    other_account_first: bool = False
    other_account_only: bool = False
    other_model_only: bool = False
    alerts_admin: bool = False
    offers_try_again: bool = False
    offers_another_photo: bool = False
    shows_support: bool = False


ONCE: Final = 1
EACH_OTHER: Final = 20  # more than there are accounts or video models: bounded by what is left to try

CLASS_POLICIES: Final[dict[FailureClass, ClassPolicy]] = {
    FailureClass.USER_VIOLATION: ClassPolicy(ONCE, offers_another_photo=True),
    FailureClass.BILLING: ClassPolicy(
        EACH_OTHER, (0.0,), other_account_only=True, alerts_admin=True, shows_support=True
    ),
    FailureClass.RATE_LIMIT: ClassPolicy(3, (60.0, 120.0), other_account_first=True, offers_try_again=True),
    FailureClass.TEMPORARY: ClassPolicy(3, (10.0, 20.0, 40.0), offers_try_again=True, shows_support=True),
    FailureClass.MODEL_UNAVAILABLE: ClassPolicy(
        EACH_OTHER, (0.0,), other_model_only=True, alerts_admin=True, shows_support=True
    ),
    FailureClass.BAD_REQUEST: ClassPolicy(ONCE, alerts_admin=True, shows_support=True),
    FailureClass.TIMED_OUT: ClassPolicy(ONCE, offers_try_again=True, shows_support=True),
    FailureClass.RESULT: ClassPolicy(ONCE, alerts_admin=True, shows_support=True),
    FailureClass.DELIVERY: ClassPolicy(ONCE, offers_try_again=True, shows_support=True),
    FailureClass.UNKNOWN: ClassPolicy(ONCE, alerts_admin=True, shows_support=True),
}


@dataclass(frozen=True, slots=True)
class FailedCreate:
    """One create call that ended in a failure: refused, or accepted and then failed."""

    account: str
    video_model: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class NextCreate:
    """Try again, after a pause, with these left out or put last."""

    delay_seconds: float
    excluded_accounts: tuple[str, ...] = ()
    avoided_accounts: tuple[str, ...] = ()
    excluded_models: tuple[str, ...] = ()


def next_create(
    failed: Sequence[FailedCreate], policies: Mapping[FailureClass, ClassPolicy] = CLASS_POLICIES
) -> NextCreate | None:
    """Decide after the last failure; None gives the video up.

    Each class counts its own failures, and the counters do not mix. What is to be left out or avoided is
    remembered from all of them: a busy account is no better after the next one failed otherwise.
    """
    last = failed[-1].failure.failure_class
    policy = policies[last]
    same = [create for create in failed if create.failure.failure_class is last]
    if len(same) >= policy.creates_max:
        return None
    return NextCreate(
        delay_seconds=policy.retry_delays_seconds[min(len(same), len(policy.retry_delays_seconds)) - 1],
        excluded_accounts=_distinct(
            each.account for each in failed if policies[each.failure.failure_class].other_account_only
        ),
        avoided_accounts=_distinct(
            each.account for each in failed if policies[each.failure.failure_class].other_account_first
        ),
        excluded_models=_distinct(
            each.video_model for each in failed if policies[each.failure.failure_class].other_model_only
        ),
    )


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
