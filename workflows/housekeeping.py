"""What terminated workflows left behind, settled on a schedule."""

import asyncio

from temporalio import workflow
from temporalio.common import VersioningBehavior

from activities import contracts
from activities.contracts import OverdueVideos, VideoRef
from domain.orders import VideoState
from domain.policy import OrderPolicy
from workflows.failures import CallFailed
from workflows.policies import run
from workflows.telling import tell

# No time span of an order applies here but one: a person who cannot be told in a minute holds up nobody.
_POLICY = OrderPolicy(sending_wait_seconds=60.0)


@workflow.defn(name="Housekeeping", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Housekeeping:
    @workflow.run
    async def run(self) -> OverdueVideos:
        overdue = await run(contracts.LIST_OVERDUE, contracts.Nothing(), _POLICY)
        await asyncio.gather(*(self._settle_and_tell(video_id) for video_id in overdue.video_ids))
        return overdue

    async def _settle_and_tell(self, video_id: str) -> None:
        """One that cannot be settled must not hold up the others."""
        ref = VideoRef(video_id=video_id)
        try:
            settled = await run(contracts.SETTLE_OVERDUE, ref, _POLICY, video_id)
        except CallFailed as failed:
            workflow.logger.error("video %s was not settled: %s", video_id, failed)
            return
        if settled.state is VideoState.FAILED:
            await tell(run(contracts.TELL_FAILURE, ref, _POLICY, video_id))
        elif settled.state is VideoState.DELIVERED:
            await tell(run(contracts.RING, ref, _POLICY, video_id))
