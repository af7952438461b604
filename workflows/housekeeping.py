"""What terminated workflows left behind, settled on a schedule."""

from temporalio import workflow

from activities import contracts
from activities.contracts import HousekeepingResult, VideoRef
from domain.policy import OrderPolicy
from workflows.policies import run
from workflows.telling import tell

_POLICY = OrderPolicy()  # no time span of an order applies here; these are the ordinary timeouts


@workflow.defn(name="Housekeeping")
class Housekeeping:
    @workflow.run
    async def run(self) -> HousekeepingResult:
        settled = await run(contracts.SETTLE_ABANDONED, contracts.Nothing(), _POLICY)
        for video_id in settled.refunded_video_ids:
            await tell(run(contracts.TELL_FAILURE, VideoRef(video_id=video_id), _POLICY, video_id))
        for video_id in settled.captured_video_ids:
            await tell(run(contracts.RING, VideoRef(video_id=video_id), _POLICY, video_id))
        return settled
