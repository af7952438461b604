"""Telling people is worth every retry, and never changes what happened to the money."""

from collections.abc import Awaitable

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities import contracts
from activities.contracts import Alert, TellLongWait
from domain import ids
from domain.failures import FailureClass
from domain.orders import VideoState
from workflows.contracts import VideoClosed, VideoInput
from workflows.failures import AlreadySettled, CallFailed
from workflows.policies import run


async def tell(call: Awaitable[object]) -> None:
    """Await it; a failure is logged and the story goes on."""
    try:
        await call
    except (CallFailed, AlreadySettled, FailureError) as failed:
        if is_cancelled_exception(failed):
            raise
        workflow.logger.warning("not told: %s", failed)


async def alert_admins(video: VideoInput, failure_class: FailureClass, attempt_id: str) -> None:
    alert = Alert(
        failure_class=failure_class.value,
        order_id=video.order_id,
        video_id=video.video_id,
        attempt_id=attempt_id,
    )
    await tell(run(contracts.ALERT_ADMINS, alert, video.policy, failure_class.value))


async def tell_outage(video: VideoInput) -> None:
    """The user and the administrators."""
    outage = TellLongWait(order_id=video.order_id, step=contracts.OUTAGE_STEP)
    await tell(run(contracts.TELL_LONG_WAIT, outage, video.policy, "outage"))
    alert = Alert(failure_class=contracts.OUTAGE_ALERT, order_id=video.order_id)
    await tell(run(contracts.ALERT_ADMINS, alert, video.policy, "outage"))


async def tell_order(video: VideoInput, state: VideoState) -> None:
    """The order may be gone (terminated); then nobody needs to know."""
    handle = workflow.get_external_workflow_handle(ids.order_workflow_id(video.order_id))
    await tell(handle.signal("video_closed", VideoClosed(video_id=video.video_id, state=state)))
