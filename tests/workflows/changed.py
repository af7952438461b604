"""A workflow as a careless change would leave it: the same name, one step more."""

from temporalio import workflow

from activities import contracts
from activities.contracts import VideoRef
from workflows.contracts import Nothing, ResendInput
from workflows.policies import run


@workflow.defn(name="VideoResend")
class ChangedResend:
    @workflow.run
    async def run(self, resend: ResendInput) -> Nothing:
        ref = VideoRef(video_id=resend.video_id)
        await run(contracts.RING, ref, resend.policy)
        await run(contracts.RESEND_VIDEO, ref, resend.policy)
        return Nothing()
