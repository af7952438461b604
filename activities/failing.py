"""Expected failures, as Temporal shows them: the class is the type. No text of a person is in them."""

from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.contracts import FailureDetails
from domain.failures import ALREADY_SETTLED, Failure, FailureClass, FailureReason


def final(failure: Failure, attempt_id: str = "", said: str = "") -> ApplicationError:
    """Not tried again by Temporal; the workflow decides what it means. `said` is `provider_words`."""
    details = FailureDetails(reason=failure.reason, code=failure.code, attempt_id=attempt_id, said=said)
    return ApplicationError(
        _message(failure, said),
        details,
        type=failure.failure_class.value,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def for_now(failure: Failure, pause: timedelta | None = None, said: str = "") -> ApplicationError:
    """Tried again by Temporal, after `pause` or by the retry policy."""
    return ApplicationError(
        _message(failure, said),
        FailureDetails(reason=failure.reason, code=failure.code, said=said),
        type=failure.failure_class.value,
        next_retry_delay=pause,
        category=ApplicationErrorCategory.BENIGN,
    )


def unreachable(service: str) -> ApplicationError:
    """An outage uses up no try: only the order's deadline ends it."""
    return ApplicationError(
        f"{service} cannot be reached",
        FailureDetails(code=f"{service} unreachable"),
        type=FailureClass.TEMPORARY.value,
        category=ApplicationErrorCategory.BENIGN,
    )


def not_our_turn(what: str, pause: timedelta) -> ApplicationError:
    """Tried again after `pause`; uses up no try, however often it comes to this."""
    activity.heartbeat(turns_missed() + 1)
    return ApplicationError(
        f"{what}: not our turn yet",
        FailureDetails(code=f"{what} limit"),
        type=FailureClass.RATE_LIMIT.value,
        next_retry_delay=pause,
        category=ApplicationErrorCategory.BENIGN,
    )


def turns_missed() -> int:
    """Temporal keeps what the try before told it with its last heartbeat."""
    details = activity.info().heartbeat_details
    return int(details[0]) if details else 0


def already_settled(why: str = "closed by somebody else") -> ApplicationError:
    return ApplicationError(
        why,
        type=ALREADY_SETTLED,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def tries() -> int:
    """Which try of this activity is running, 1 first; those that missed their turn do not count."""
    return activity.info().attempt - turns_missed()


def _message(failure: Failure, said: str) -> str:
    reason = "" if failure.reason is FailureReason.NONE else f" ({failure.reason})"
    code = f" {failure.code}" if failure.code else ""
    return f"{failure.failure_class}{code}{reason}{f': {said}' if said else ''}"
