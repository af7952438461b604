"""A workflow as a careless change would leave it: the same name, one step more."""

from temporalio import workflow

from activities import contracts
from activities.contracts import ResendVideo, VideoRef
from workflows.contracts import Nothing, ResendInput
from workflows.policies import run


@workflow.defn(name="VideoResend")
class ChangedResend:
    @workflow.run
    async def run(self, resend: ResendInput) -> Nothing:
        ref = VideoRef(video_id=resend.video_id)
        await run(contracts.RING, ref, resend.policy)
        again = ResendVideo(video_id=resend.video_id, run_id=workflow.info().run_id)
        await run(contracts.RESEND_VIDEO, again, resend.policy)
        return Nothing()
