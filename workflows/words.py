"""What an engineer reads in the Web UI: states in words. No part of what is replayed.

Summaries of activities and timers hold at most 400 bytes, encrypted: no provider's words in them, only codes.
"""

from activities.contracts import AttemptFacts
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import VideoState
from workflows.contracts import OrderResult, VideoResult


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def seconds_of(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s"


def failure_words(failure: Failure, said: str = "") -> str:
    """`USER_VIOLATION 400 (person), answered: …`."""
    reason = "" if failure.reason is FailureReason.NONE else f" ({failure.reason})"
    code = f" {failure.code}" if failure.code else ""
    return f"{failure.failure_class}{code}{reason}{f', answered: {said}' if said else ''}"


def waiting_for_kie(attempt: AttemptFacts, *, adopted: bool, poll_seconds: float) -> str:
    where = f"on {attempt.video_model} (account {attempt.account})"
    poll = f"KIE's callback, or a poll in {seconds_of(poll_seconds)}"
    if adopted:
        return f"KIE task `{attempt.kie_task_id}` is being made {where}. Next: {poll}"
    return f"The answer to a create was lost {where}: it may have been bought. Next: {poll}"


def video_ended(result: VideoResult) -> str:
    fate = f"{result.state.value.lower()}, {'captured' if result.captured else 'refunded'}"
    if result.failure_class:
        failure = Failure(FailureClass(result.failure_class), result.reason, result.code)
        return f"{fate}: {failure_words(failure, result.said)}"
    made = f": {result.video_model}, {plural(result.attempts, 'attempt')}" if result.attempts else ""
    return f"{fate}{made}"


def videos_closed(closed: dict[str, VideoState], video_count: int) -> str:
    states = ", ".join(sorted(state.value.lower() for state in closed.values()))
    return f"making: {len(closed)} of {plural(video_count, 'video')} closed{f' ({states})' if states else ''}"


def order_ended(stage: str, result: OrderResult) -> str:
    counts = {
        "delivered": result.delivered,
        "waiting for its user": result.waiting,
        "failed": result.failed,
        "cancelled": result.cancelled,
    }
    shown = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    said = ", ".join(filter(None, (result.code, result.said and f"answered: {result.said}")))
    return f"{stage}: {result.outcome}{f' ({said})' if said else ''}{f'; {shown}' if shown else ''}"
