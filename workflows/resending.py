"""A video that waited for its user is sent when he is back."""

from datetime import timedelta

from temporalio import workflow

from activities import contracts
from activities.contracts import ResendVideo, SendOutcome
from workflows.contracts import Nothing, ResendInput
from workflows.failures import AlreadySettled, CallFailed
from workflows.policies import run

_ENDED = frozenset({SendOutcome.SENT, SendOutcome.BLOCKED, SendOutcome.UNKNOWN})


@workflow.defn(name="VideoResend")
class VideoResend:
    """It is captured already, so there is nothing to refund. An outage uses up no try."""

    @workflow.run
    async def run(self, resend: ResendInput) -> Nothing:
        policy = resend.policy
        request = ResendVideo(video_id=resend.video_id, run_id=workflow.info().run_id)
        give_up_at = workflow.now() + timedelta(seconds=policy.sending_wait_seconds)
        refused = 0
        while refused < policy.send_tries_max and workflow.now() < give_up_at:
            try:
                sent = await run(contracts.RESEND_VIDEO, request, policy)
            except (AlreadySettled, CallFailed):
                break
            if sent.outcome in _ENDED:
                break
            refused += sent.outcome is SendOutcome.REFUSED
            pause = max(policy.send_pause_seconds, sent.retry_after_seconds)
            await workflow.sleep(pause, summary=sent.outcome.value)
        return Nothing()
