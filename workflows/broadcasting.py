"""One message to everybody who can be reached. The rows say who is next; this only goes on, and waits."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import VersioningBehavior

from activities import contracts
from activities.payloads import BroadcastProgress, BroadcastRef, SendBroadcast
from domain.broadcasts import BroadcastState
from workflows.contracts import BroadcastInput, BroadcastResult, Nothing
from workflows.policies import run

_PROBE_USERS = 1  # after trouble one user is tried, not a stretch of them
_USERS_EACH = 200


# It takes hours, and is nobody's order: it goes on with the workers of today.
@workflow.defn(name="Broadcast", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Broadcast:
    @workflow.init
    def __init__(self, broadcast: BroadcastInput) -> None:
        self._broadcast = broadcast
        self._policy = broadcast.policy
        self._troubles = broadcast.troubles
        self._cancelled = False

    @workflow.run
    async def run(self, broadcast: BroadcastInput) -> BroadcastResult:
        """A cancel, from here or from the command line, is a row; what is on its way goes on."""
        story = asyncio.create_task(self._story())
        try:
            result = await asyncio.shield(story)
        except asyncio.CancelledError:
            await run(contracts.CANCEL_BROADCAST, self._ref, self._policy, "cancelled")
            self._cancelled = True
            result = await story
        if result is None:
            workflow.continue_as_new(broadcast.model_copy(update={"troubles": self._troubles}))
        return result

    @workflow.signal(description="The broadcast was cancelled: look at its row")
    def cancelled(self, _: Nothing | None = None) -> None:
        self._cancelled = True

    async def _story(self) -> BroadcastResult | None:
        """None: it goes on in another run."""
        for _ in range(self._broadcast.steps_max):
            progress = await run(contracts.SEND_BROADCAST, self._next(), self._policy, self._summary())
            workflow.set_current_details(_said(progress))
            if progress.state != BroadcastState.RUNNING:
                return _result(progress)
            await self._pause(progress)
            if workflow.info().is_continue_as_new_suggested():
                break
        return None

    @property
    def _ref(self) -> BroadcastRef:
        return BroadcastRef(broadcast_id=self._broadcast.broadcast_id)

    def _next(self) -> SendBroadcast:
        users_max = _PROBE_USERS if self._troubles else _USERS_EACH
        return SendBroadcast(broadcast_id=self._broadcast.broadcast_id, users_max=users_max)

    def _summary(self) -> str:
        return "does Telegram take one again" if self._troubles else "the next users"

    async def _pause(self, progress: BroadcastProgress) -> None:
        """What Telegram asks for, else longer with each trouble in a row."""
        is_trouble = bool(progress.trouble) and not progress.pause_seconds
        self._troubles = self._troubles + 1 if is_trouble else 0
        seconds = progress.pause_seconds or self._back_off_seconds()
        if not seconds:
            return
        workflow.set_current_details(f"{_said(progress)}\n\npausing {seconds:.0f} s: {progress.trouble}")
        try:
            timeout = timedelta(seconds=seconds)
            await workflow.wait_condition(
                lambda: self._cancelled, timeout=timeout, timeout_summary=progress.trouble
            )
            self._cancelled = False
        except TimeoutError:
            return

    def _back_off_seconds(self) -> float:
        if not self._troubles:
            return 0.0
        doubled = self._policy.outage_pause_seconds * 2.0 ** min(self._troubles, 10)
        return min(doubled, self._policy.outage_pause_seconds_max)


def _said(progress: BroadcastProgress) -> str:
    counts = {
        "sent": progress.sent,
        "have blocked the bot": progress.blocked,
        "refused by Telegram": progress.failed,
        "without an answer, not sent again": progress.unknown,
    }
    lines = [f"* {count} {words}" for words, count in counts.items()]
    return "\n".join([f"**{progress.state.lower()}**, to {progress.users_total} users", *lines])


def _result(progress: BroadcastProgress) -> BroadcastResult:
    return BroadcastResult(
        outcome=progress.state.lower(),
        users_total=progress.users_total,
        sent=progress.sent,
        blocked=progress.blocked,
        failed=progress.failed,
        unknown=progress.unknown,
    )
