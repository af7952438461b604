"""A video that waited for its user is sent when he is back."""

from temporalio import workflow

from activities import contracts
from activities.contracts import SendOutcome, VideoRef
from workflows.contracts import Nothing, ResendInput
from workflows.policies import run

_ENDED = frozenset({SendOutcome.SENT, SendOutcome.BLOCKED, SendOutcome.UNKNOWN})


@workflow.defn(name="VideoResend")
class VideoResend:
    """It is captured already, so there is nothing to refund: it is sent until it is there."""

    @workflow.run
    async def run(self, resend: ResendInput) -> Nothing:
        for _ in range(resend.policy.send_tries_max):
            ref = VideoRef(video_id=resend.video_id)
            sent = await run(contracts.RESEND_VIDEO, ref, resend.policy)
            if sent.outcome in _ENDED:
                break
            pause = max(resend.policy.send_pause_seconds, sent.retry_after_seconds)
            await workflow.sleep(pause, summary=sent.outcome.value)
        return Nothing()
