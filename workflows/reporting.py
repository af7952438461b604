"""What yesterday was like, to the administrators, once a day."""

from temporalio import workflow
from temporalio.common import VersioningBehavior

from activities import contracts
from activities.payloads import DailyReportSent
from domain.policy import OrderPolicy
from workflows.contracts import Nothing
from workflows.failures import CallFailed
from workflows.policies import run

_POLICY = OrderPolicy()  # no time span of an order applies here


@workflow.defn(name="DailyReport", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class DailyReport:
    @workflow.run
    async def run(self, _: Nothing) -> DailyReportSent:
        try:
            sent = await run(contracts.SEND_DAILY_REPORT, contracts.Nothing(), _POLICY, "of yesterday")
        except CallFailed as failed:
            workflow.set_current_details(f"not sent: {failed.failure.code}")
            return DailyReportSent(day="")
        workflow.set_current_details(f"{sent.day}: sent to {sent.admins} administrators")
        return sent
