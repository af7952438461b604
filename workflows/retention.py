"""What was kept long enough is deleted, once a day."""

from temporalio import workflow
from temporalio.common import VersioningBehavior

from activities import contracts
from activities.contracts import DeletedMedia
from domain.policy import OrderPolicy
from workflows.contracts import Nothing
from workflows.policies import run

_POLICY = OrderPolicy()  # nothing here belongs to an order


@workflow.defn(name="MediaRetention", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class MediaRetention:
    @workflow.run
    async def run(self, _: Nothing) -> DeletedMedia:
        deleted = await run(contracts.DELETE_OLD_MEDIA, contracts.Nothing(), _POLICY, "older than 30 days")
        workflow.set_current_details(f"{deleted.files} files deleted")
        return deleted
