"""One order: what a tap on Generate bought."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowCancellationType, ChildWorkflowHandle, ParentClosePolicy

from activities import contracts
from activities.contracts import CancelOrder, OrderProgress, OrderRef, ReleaseOrder, Stage, TellLongWait
from domain import ids
from domain.failures import CLASS_POLICIES
from domain.orders import Template, VideoState
from workflows.contracts import OrderInput, OrderResult, VideoClosed, VideoInput, VideoResult
from workflows.failures import AlreadySettled, CallFailed
from workflows.policies import run
from workflows.search_attributes import FAILURE_CLASS, ORDER_STAGE, TG_USER_ID
from workflows.telling import tell
from workflows.videos import Video
from workflows.words import failure_words, order_ended, plural, videos_closed


@workflow.defn(name="VideoOrder")
class VideoOrder:
    """Reserve → photo → moderation → scripts → one `Video` each → the closing card."""

    @workflow.init
    def __init__(self, order: OrderInput) -> None:
        self._ref = OrderRef(order_id=order.order_id)
        self._closed: dict[str, VideoState] = {}
        self._children: list[ChildWorkflowHandle[Video, VideoResult]] = []
        self._rows_closed = False
        self._video_count = order.video_count
        self._deadline = workflow.now() + timedelta(seconds=order.policy.order_deadline_seconds)

    @workflow.run
    async def run(self, order: OrderInput) -> OrderResult:
        story = asyncio.create_task(self._story(order))
        try:
            return await asyncio.shield(story)
        except asyncio.CancelledError:
            await self._cancel_what_is_not_bought(order)
            return await story

    @workflow.signal(description="A video of this order is closed")
    def video_closed(self, closed: VideoClosed) -> None:
        self._closed[closed.video_id] = closed.state
        self._say(videos_closed(self._closed, self._video_count))

    async def _story(self, order: OrderInput) -> OrderResult:
        summary = plural(order.video_count, "video")
        self._say("reserving the credits")
        reservation = await run(contracts.RESERVE_CREDITS, self._ref, order.policy, summary)
        if not reservation.reserved:
            await run(contracts.RELEASE_ORDER, ReleaseOrder(order_id=order.order_id), order.policy)
            return self._finish(OrderResult(outcome="not_reserved"), Stage.CANCELLED)
        watch = asyncio.create_task(self._watch_until_ended(order))
        try:
            return await self._make_videos(order)
        finally:
            watch.cancel()

    async def _make_videos(self, order: OrderInput) -> OrderResult:
        try:
            await self._prepare(order)
        except AlreadySettled:
            return await self._close(order)
        except CallFailed as failed:
            return await self._give_up(order, failed)
        await self._start_videos(order)
        await workflow.wait_condition(lambda: self._all_closed(order) or self._rows_closed)
        return await self._close(order)

    async def _prepare(self, order: OrderInput) -> None:
        """Nothing is bought yet: whatever fails here ends the whole order."""
        steps = (
            (contracts.FETCH_PHOTO, "fetching the ", "photo from Telegram"),
            (contracts.MODERATE_BRIEF, "moderating ", "text and photo"),
            (contracts.WRITE_SCRIPTS, "writing ", plural(order.video_count, "script")),
        )
        for contract, doing, summary in steps:
            self._say(f"{doing}{summary}; nothing is bought yet")
            await run(contract, self._ref, order.policy, summary, self._deadline)
            self._require_open(order)

    def _require_open(self, order: OrderInput) -> None:
        """Raise AlreadySettled when a cancel has closed every video meanwhile."""
        if self._all_closed(order):
            raise AlreadySettled

    async def _start_videos(self, order: OrderInput) -> None:
        workflow.upsert_search_attributes([ORDER_STAGE.value_set(Stage.MAKING.value)])
        for number in range(1, order.video_count + 1):
            await self._start_video(order, number)
        self._say(videos_closed(self._closed, order.video_count))

    async def _start_video(self, order: OrderInput, number: int) -> None:
        """After a reset the child is there already, and is waited for."""
        video_id = ids.video_id(order.order_id, number)
        video = VideoInput(
            video_id=video_id,
            order_id=order.order_id,
            number=number,
            video_count=order.video_count,
            policy=order.policy,
        )
        attributes = TypedSearchAttributes(
            [
                SearchAttributePair(ORDER_STAGE, Stage.QUEUED.value),
                SearchAttributePair(TG_USER_ID, order.tg_user_id),
            ]
        )
        try:
            child = await workflow.start_child_workflow(
                Video.run,
                video,
                id=ids.video_workflow_id(video_id),
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=ParentClosePolicy.ABANDON,
                cancellation_type=ChildWorkflowCancellationType.ABANDON,
                search_attributes=attributes,
                static_summary=f"{order.template}: video {number} of {order.video_count}",
                static_details=f"of `{ids.order_workflow_id(order.order_id)}`, user {order.tg_user_id}",
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("video %s was started before", video_id)
            return
        self._children.append(child)

    async def _watch_until_ended(self, order: OrderInput) -> None:
        with suppress(ActivityError):  # a sentence was on its way when the order ended, and is cancelled
            await self._watch(order)

    async def _watch(self, order: OrderInput) -> None:
        """After 5, 10 and 20 minutes one new sentence; later a look at the rows now and then."""
        started = workflow.now()
        for step, seconds in enumerate(order.policy.long_wait_seconds, start=1):
            elapsed = (workflow.now() - started).total_seconds()
            await workflow.sleep(max(0.1, seconds - elapsed), summary=f"until long-wait sentence {step}")
            progress = await self._tell_long_wait(order, step)
            self._rows_closed = progress.closed
        while not self._rows_closed:
            await workflow.sleep(order.policy.rows_recheck_seconds, summary="look at the rows")
            self._rows_closed = (await run(contracts.READ_PROGRESS, self._ref, order.policy)).closed

    def _all_closed(self, order: OrderInput) -> bool:
        return len(self._closed) >= order.video_count

    async def _tell_long_wait(self, order: OrderInput, step: int) -> OrderProgress:
        request = TellLongWait(order_id=order.order_id, step=step)
        try:
            return await run(contracts.TELL_LONG_WAIT, request, order.policy, f"sentence {step}")
        except CallFailed:
            return await run(contracts.READ_PROGRESS, self._ref, order.policy)

    async def _give_up(self, order: OrderInput, failed: CallFailed) -> OrderResult:
        """Refund what no video workflow has taken up; the user is told after the commit."""
        failure = failed.failure
        self._say(f"refunding: {failure_words(failure, failed.said)}")
        release = ReleaseOrder(
            order_id=order.order_id, failure_class=failure.failure_class.value, reason=failure.reason
        )
        progress = await run(contracts.RELEASE_ORDER, release, order.policy, failure.failure_class.value)
        workflow.upsert_search_attributes([FAILURE_CLASS.value_set(failure.failure_class.value)])
        await tell(run(contracts.TELL_ORDER_FAILURE, self._ref, order.policy))
        if CLASS_POLICIES[failure.failure_class].alerts_admin:
            alert = contracts.Alert(failure_class=failure.failure_class.value, order_id=order.order_id)
            await tell(run(contracts.ALERT_ADMINS, alert, order.policy))
        told = _result(progress, failure.failure_class.value)
        told = told.model_copy(update={"code": failure.code, "said": failed.said})
        return self._finish(told, Stage.FAILED)

    async def _close(self, order: OrderInput) -> OrderResult:
        """The row of an order of one is closed with its video's, in the same transaction.

        To signal is a video's last step: waiting for its end keeps parent and child in their order.
        """
        if self._all_closed(order):
            await workflow.wait_condition(lambda: all(child.done() for child in self._children))
        if order.video_count == 1 and self._closed:
            if VideoState.CANCELLED in self._closed.values():
                await tell(run(contracts.TELL_CANCELLED, self._ref, order.policy))
            return self._finish(_result(_counted(self._closed)), Stage.CLOSED)
        progress = await run(contracts.CLOSE_ORDER, self._ref, order.policy, "all videos closed")
        if order.video_count > 1:
            await tell(run(contracts.SEND_CLOSING_CARD, self._ref, order.policy, "how it ended"))
        return self._finish(_result(progress), Stage.CLOSED)

    async def _cancel_what_is_not_bought(self, order: OrderInput) -> None:
        """What may have been bought goes on; the others' workflows find their rows closed."""
        cancel = CancelOrder(order_id=order.order_id)
        cancelled = await run(contracts.CANCEL_ORDER, cancel, order.policy, "cancelled")
        for video_id in cancelled.cancelled_video_ids:
            self._closed[video_id] = VideoState.CANCELLED
            handle = workflow.get_external_workflow_handle(ids.video_workflow_id(video_id))
            await tell(handle.signal("settled"))

    def _say(self, state: str) -> None:
        workflow.set_current_details(state)

    def _finish(self, result: OrderResult, stage: Stage) -> OrderResult:
        workflow.upsert_search_attributes([ORDER_STAGE.value_set(stage.value)])
        self._say(order_ended(stage.value, result))
        return result


def _counted(closed: dict[str, VideoState]) -> OrderProgress:
    counts = Counter(state.value.lower() for state in closed.values())
    return OrderProgress(**counts)


def _result(progress: OrderProgress, failure_class: str = "") -> OrderResult:
    nothing_made = progress.cancelled and not (progress.delivered or progress.waiting or progress.failed)
    return OrderResult(
        outcome=failure_class or ("cancelled" if nothing_made else "completed"),
        delivered=progress.delivered,
        waiting=progress.waiting,
        failed=progress.failed,
        cancelled=progress.cancelled,
    )


def summary_of(template: str, video_count: int) -> str:
    """The line engineers read in the list of workflows."""
    return f"{Template(template).value}: {plural(video_count, 'video')}"
