"""From a finished KIE task to the chat. Nothing here buys: a finished video is never made again."""

from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow

from activities import contracts
from activities.contracts import FetchResult, SendOutcome, SendResult, VideoRef
from domain.failures import Failure, FailureClass
from domain.policy import OrderPolicy
from workflows.failures import CallFailed
from workflows.policies import run

_ENDED: Final = frozenset({SendOutcome.SENT, SendOutcome.BLOCKED, SendOutcome.UNKNOWN})


async def fetch(attempt_id: str, policy: OrderPolicy, deadline: datetime) -> None:
    """Three tries, all but the first with a fresh link; an outage uses up none of them."""
    for number, pause_seconds in enumerate((*policy.result_pauses_seconds, None)):
        request = FetchResult(attempt_id=attempt_id, fresh_link=number > 0)
        try:
            await run(contracts.FETCH_RESULT, request, policy, "fresh link" if number else "", deadline)
        except CallFailed as failed:
            if failed.failure.failure_class is not FailureClass.RESULT or pause_seconds is None:
                raise
            summary = f"before a fresh link: {failed.failure.code}"
            await workflow.sleep(max(0.1, pause_seconds), summary=summary)
        else:
            return


async def deliver(video: VideoRef, policy: OrderPolicy, deadline: datetime) -> SendOutcome:
    """Send until it is there, refused three times, or its time is over; raise CallFailed(DELIVERY).

    Where any sending may have succeeded the answer is UNKNOWN, never a failure.
    """
    one_send = timedelta(seconds=policy.send_timeout_seconds)
    started = workflow.now()
    waited_at_most = started + timedelta(seconds=policy.sending_wait_seconds)
    give_up_at = min(waited_at_most, max(deadline, started + one_send))
    outage_seconds = policy.outage_pause_seconds
    while True:
        sent = await _send(video, policy)
        if sent.outcome in _ENDED:
            return sent.outcome
        over = workflow.now() >= give_up_at
        if sent.outcome is SendOutcome.UNCONFIRMED and over:
            return SendOutcome.UNKNOWN
        if over or sent.refused_count >= policy.send_tries_max:
            raise CallFailed(Failure(FailureClass.DELIVERY, code=sent.outcome.value), said=sent.said)
        pause_seconds = max(policy.send_pause_seconds, sent.retry_after_seconds)
        if sent.outcome is SendOutcome.NOT_SENT:
            pause_seconds = outage_seconds
            outage_seconds = min(outage_seconds * 2, policy.outage_pause_seconds_max)
        left_seconds = (give_up_at - workflow.now()).total_seconds()
        summary = f"before the next send: {sent.outcome.value}"
        await workflow.sleep(max(0.1, min(pause_seconds, left_seconds)), summary=summary)


async def _send(video: VideoRef, policy: OrderPolicy) -> SendResult:
    """A sender nobody heard of again may have sent: the next try looks."""
    try:
        return await run(contracts.SEND_VIDEO, video, policy, "edit of the placeholder")
    except CallFailed:
        return SendResult(outcome=SendOutcome.UNCONFIRMED)
