"""Failed activities, in the words the workflows decide on."""

from temporalio import exceptions
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType

from activities.contracts import FailedCreateFact, FailureDetails
from domain.failures import ALREADY_SETTLED, FailedCreate, Failure, FailureClass


class AlreadySettled(Exception):
    """The rows are closed: there is nothing left to do."""


class CallFailed(Exception):
    """An activity ended in one of the expected ways to fail."""

    def __init__(self, failure: Failure, attempt_id: str = "", said: str = "") -> None:
        super().__init__(failure.failure_class.value)
        self.failure = failure
        self.attempt_id = attempt_id
        self.said = said


def expected_failure(error: ActivityError) -> CallFailed | AlreadySettled:
    """A timeout means that nobody could do it in time; what has no class is UNKNOWN."""
    cause = error.cause
    if isinstance(cause, exceptions.TimeoutError):
        return CallFailed(Failure(FailureClass.TIMED_OUT, code=_timeout_name(cause.type)))
    if not isinstance(cause, ApplicationError):
        return CallFailed(Failure(FailureClass.UNKNOWN, code=type(cause).__name__))
    if cause.type == ALREADY_SETTLED:
        return AlreadySettled()
    if cause.type not in {each.value for each in FailureClass}:
        return CallFailed(Failure(FailureClass.UNKNOWN, code=cause.type or ""))
    details = FailureDetails.model_validate(cause.details[0]) if cause.details else FailureDetails()
    failure = Failure(FailureClass(cause.type), details.reason, details.code)
    return CallFailed(failure, details.attempt_id, details.said)


def failed_create(fact: FailedCreateFact) -> FailedCreate:
    """As an earlier run of the workflow knew it."""
    failure = Failure(FailureClass(fact.failure_class), fact.reason, fact.code)
    return FailedCreate(fact.account, fact.video_model, failure)


def _timeout_name(timeout_type: TimeoutType | None) -> str:
    return timeout_type.name if timeout_type else "TIMEOUT"
