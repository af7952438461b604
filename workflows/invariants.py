"""What must always be true is looked at every minute; what lost its workflow is brought to an end."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import VersioningBehavior

from activities import contracts
from activities.contracts import Alert, OrderRef, SettleResult, VideoRef
from activities.payloads import CheckedRule, CheckInvariants, InvariantReport, LostOrder, LostWork
from domain import ids
from domain.orders import VideoState
from domain.policy import OrderPolicy
from workflows.contracts import InvariantCheckInput, VideoClosed
from workflows.failures import CallFailed
from workflows.policies import run
from workflows.telling import tell

# No time span of an order applies here but one: a person who cannot be told in a minute holds up nobody.
_POLICY = OrderPolicy(sending_wait_seconds=60.0)


@workflow.defn(name="InvariantCheck", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class InvariantCheck:
    @workflow.run
    async def run(self, check: InvariantCheckInput) -> InvariantReport:
        """While the database is away the check waits, and the next ones are passed over."""
        workflow.set_current_details("looking")
        wanted = CheckInvariants(complete=check.complete)
        report = await run(
            contracts.CHECK_INVARIANTS, wanted, _POLICY, "every row" if check.complete else "what was written"
        )
        said = _said(report)
        workflow.set_current_details(said)
        if report.has_news:
            await tell(run(contracts.TELL_INVARIANTS, contracts.Nothing(), _POLICY, "to the admins"))
        if not check.complete:
            lost = await self._bring_to_an_end()
            workflow.set_current_details("\n".join([said, *_lost_said(lost)]))
        return report

    async def _bring_to_an_end(self) -> LostWork:
        """Temporal itself is asked who still works on what is open; unanswered, it is asked in a minute."""
        try:
            lost = await run(contracts.LIST_LOST, contracts.Nothing(), _POLICY, "who works on what is open")
        except CallFailed as failed:
            workflow.logger.warning("nobody knows what is lost: %s", failed.failure.code)
            return LostWork()
        await asyncio.gather(
            *(self._settle(video_id) for video_id in lost.video_ids),
            *(self._close(order) for order in lost.orders),
        )
        return lost

    async def _settle(self, video_id: str) -> None:
        """One that cannot be settled must not hold up the others."""
        ref = VideoRef(video_id=video_id)
        try:
            settled = await run(contracts.SETTLE_LOST, ref, _POLICY, video_id)
        except CallFailed as failed:
            workflow.logger.error("video %s was not settled: %s", video_id, failed)
            return
        if not settled.state.closed:
            return  # it may have been bought meanwhile
        await self._tell_user(ref, settled)
        await self._wake_order(video_id, settled.state)
        alert = Alert(
            failure_class=contracts.LOST_WORKFLOW_ALERT,
            order_id=ids.order_id_of_video(video_id),
            video_id=video_id,
        )
        await tell(run(contracts.ALERT_ADMINS, alert, _POLICY, video_id))

    async def _tell_user(self, ref: VideoRef, settled: SettleResult) -> None:
        if settled.state is VideoState.FAILED:
            await tell(run(contracts.TELL_FAILURE, ref, _POLICY, ref.video_id))
        elif settled.state is VideoState.DELIVERED:
            await tell(run(contracts.RING, ref, _POLICY, ref.video_id))

    async def _wake_order(self, video_id: str, state: VideoState) -> None:
        """It may be gone as well; then the next check closes its row."""
        order_id = ids.order_id_of_video(video_id)
        handle = workflow.get_external_workflow_handle(ids.order_workflow_id(order_id))
        await tell(handle.signal("video_closed", VideoClosed(video_id=video_id, state=state)))

    async def _close(self, order: LostOrder) -> None:
        ref = OrderRef(order_id=order.order_id)
        try:
            await run(contracts.CLOSE_ORDER, ref, _POLICY, order.order_id)
        except CallFailed as failed:
            workflow.logger.error("order %s was not closed: %s", order.order_id, failed)
            return
        if order.video_count > 1:
            await tell(run(contracts.SEND_CLOSING_CARD, ref, _POLICY, order.order_id))


def _said(report: InvariantReport) -> str:
    pause = timedelta(seconds=round(report.pause_seconds))
    kind = "complete" if report.complete else "incremental"
    return "\n".join([f"{kind}, {pause} after the check before", *(_line(each) for each in report.rules)])


def _line(checked: CheckedRule) -> str:
    some = ", ".join(f"`{subject}`" for subject in checked.subjects)
    return f"* **{checked.rule}** {checked.rows} looked at, {checked.broken} broken {some}".rstrip()


def _lost_said(lost: LostWork) -> list[str]:
    facts = {
        "lost its workflow": lost.video_ids,
        "lost its workflow, but may be bought: reset it, or its deadline ends it": lost.bought_video_ids,
    }
    return [f"* `{video_id}` {said}" for said, video_ids in facts.items() for video_id in video_ids[:10]]
