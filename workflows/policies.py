"""How each activity is called: its timeouts and retries, with the reasons. Reads nothing but OrderPolicy."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities import contracts
from activities.contracts import ActivityContract
from domain.policy import OrderPolicy
from workflows.failures import expected_failure

RequestT = TypeVar("RequestT", bound=BaseModel)
ResultT = TypeVar("ResultT", bound=BaseModel)

_RETRY_SECONDS_MIN: Final = 0.2
_FEW_TRIES: Final = 5
_LONG_CALL: Final = timedelta(hours=1)
_REPORT_WAIT: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class CallOptions:
    """`total` None: until it works, because only PostgreSQL is asked and nothing else may go on before."""

    one_call: timedelta
    total: timedelta | None
    retry: RetryPolicy


def options_for(contract: ActivityContract[RequestT, ResultT], policy: OrderPolicy) -> CallOptions:
    return _SPECIAL.get(contract.name, _rows)(policy)


async def run(
    contract: ActivityContract[RequestT, ResultT],
    request: RequestT,
    policy: OrderPolicy,
    summary: str = "",
    until: datetime | None = None,
) -> ResultT:
    """Raise CallFailed or AlreadySettled, never ActivityError. Retries end at `until`, if given.

    Whatever is called beats, so that a worker that died is noticed long before the call's own time is over.
    """
    options = options_for(contract, policy)
    try:
        result: ResultT = await workflow.execute_activity(
            contract.name,
            request,
            task_queue=contract.queue.value,
            result_type=contract.result,
            start_to_close_timeout=options.one_call,
            schedule_to_close_timeout=_total(options, until),
            heartbeat_timeout=_seconds(policy.heartbeat_timeout_seconds),
            retry_policy=options.retry,
            summary=summary or None,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        raise expected_failure(error) from error
    return result


def _total(options: CallOptions, until: datetime | None) -> timedelta | None:
    """At least one call, even at the last moment."""
    if until is None or options.total is None:
        return options.total
    return min(options.total, max(options.one_call, until - workflow.now()))


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _retries(policy: OrderPolicy, tries_max: int = 0) -> RetryPolicy:
    """What was never sent waits with a back-off of at most a minute; 0 tries: only time is the limit."""
    first = max(_RETRY_SECONDS_MIN, policy.outage_pause_seconds)
    return RetryPolicy(
        initial_interval=_seconds(first),
        backoff_coefficient=2.0,
        maximum_interval=_seconds(max(first, policy.outage_pause_seconds_max)),
        maximum_attempts=tries_max,
    )


def _rows(policy: OrderPolicy) -> CallOptions:
    return CallOptions(_seconds(policy.call_timeout_seconds), None, _retries(policy))


def _outside_call(policy: OrderPolicy) -> CallOptions:
    """Idempotent, so repeated through an outage until the order's deadline."""
    return CallOptions(
        _seconds(policy.fetch_timeout_seconds),
        _seconds(max(policy.order_deadline_seconds, policy.fetch_timeout_seconds)),
        _retries(policy),
    )


def _create(policy: OrderPolicy) -> CallOptions:
    """A later try never creates again: it finds SENDING and writes AMBIGUOUS. So it may be repeated."""
    return CallOptions(
        _seconds(policy.create_timeout_seconds),
        _seconds(max(policy.order_deadline_seconds, policy.create_timeout_seconds)),
        _retries(policy),
    )


def _check(policy: OrderPolicy) -> CallOptions:
    """A few tries; after that the next poll repeats it."""
    return CallOptions(_seconds(policy.call_timeout_seconds), None, _retries(policy, tries_max=_FEW_TRIES))


def _send(policy: OrderPolicy) -> CallOptions:
    """After a dead sender the next try looks before it sends."""
    return CallOptions(
        _seconds(policy.send_timeout_seconds),
        _seconds(max(policy.sending_wait_seconds, policy.send_timeout_seconds)),
        _retries(policy),
    )


def _caption(policy: OrderPolicy) -> CallOptions:
    """A stage change is dropped rather than queued, and never retried."""
    call = _seconds(policy.call_timeout_seconds)
    return CallOptions(call, call, _retries(policy, tries_max=1))


def _few_tries(policy: OrderPolicy) -> CallOptions:
    """One row that cannot be written must not hold up the others."""
    call = _seconds(policy.call_timeout_seconds)
    return CallOptions(call, None, _retries(policy, tries_max=_FEW_TRIES))


def _long_rows(policy: OrderPolicy) -> CallOptions:
    """Many statements one after another. It waits for a database that is away, as long as that takes."""
    return CallOptions(_LONG_CALL, None, _retries(policy))


def _notice(policy: OrderPolicy) -> CallOptions:
    return CallOptions(
        _seconds(policy.call_timeout_seconds),
        _seconds(max(policy.sending_wait_seconds, policy.call_timeout_seconds)),
        _retries(policy),
    )


def _report(policy: OrderPolicy) -> CallOptions:
    """Of one day: by the next one it is old."""
    return CallOptions(_seconds(policy.call_timeout_seconds), _REPORT_WAIT, _retries(policy))


def _stretch(policy: OrderPolicy) -> CallOptions:
    """Some seconds of sending, more where Telegram is slow. Rows say who is next: repeated for ever."""
    return CallOptions(_LONG_CALL, None, _retries(policy))


_SPECIAL: Final = {
    contracts.FETCH_PHOTO.name: _outside_call,
    contracts.FETCH_RESULT.name: _outside_call,
    contracts.DELETE_OLD_MEDIA.name: _outside_call,
    contracts.MODERATE_BRIEF.name: _outside_call,
    contracts.WRITE_SCRIPTS.name: _outside_call,
    contracts.UPLOAD_PHOTO.name: _outside_call,
    contracts.CREATE_KIE_TASK.name: _create,
    contracts.CHECK_KIE_TASK.name: _check,
    contracts.SEND_VIDEO.name: _send,
    contracts.RESEND_VIDEO.name: _send,
    contracts.SETTLE_OVERDUE.name: _few_tries,
    contracts.LIST_LOST.name: _few_tries,
    contracts.SETTLE_LOST.name: _few_tries,
    contracts.CHECK_INVARIANTS.name: _long_rows,
    contracts.PROBE_KIE.name: _few_tries,
    contracts.SHOW_STAGE.name: _caption,
    contracts.RING.name: _notice,
    contracts.TELL_FAILURE.name: _notice,
    contracts.TELL_ORDER_FAILURE.name: _notice,
    contracts.TELL_CANCELLED.name: _notice,
    contracts.TELL_LONG_WAIT.name: _notice,
    contracts.SEND_CLOSING_CARD.name: _notice,
    contracts.ALERT_ADMINS.name: _notice,
    contracts.TELL_INVARIANTS.name: _notice,
    contracts.SEND_BROADCAST.name: _stretch,
    contracts.SEND_DAILY_REPORT.name: _report,
}
