"""What is true of every order that has ended, whatever happened to it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from domain.attempts import AttemptPhase, AttemptRow
from domain.failures import FailureClass
from domain.orders import VideoState
from tests.models.order_plan import Callback, End
from tests.models.order_rows import Video
from tests.models.order_world import World
from workflows.contracts import OrderResult, VideoResult

_LAST_SENDING: Final = timedelta(seconds=180 + 60)
"""What is ready at the deadline is still sent, for as long as one sending may take."""
_PAUSE_AND_MAKING: Final = timedelta(seconds=120 + 120)
_CREATES: Final = {
    FailureClass.USER_VIOLATION: 1,
    FailureClass.BAD_REQUEST: 1,
    FailureClass.UNKNOWN: 1,
    FailureClass.RATE_LIMIT: 3,
    FailureClass.TEMPORARY: 3,
}
"""How often each class is met before the video is given up: design, section 7."""
_ALERTS: Final = frozenset(
    {
        FailureClass.BILLING,
        FailureClass.MODEL_UNAVAILABLE,
        FailureClass.BAD_REQUEST,
        FailureClass.RESULT,
        FailureClass.UNKNOWN,
    }
)
_TOLD_OF_REFUND: Final = frozenset({"tell_cancelled", "tell_order_failure"})
"""Cancelled while the preparation failed: the card about the failure names the credits that came back."""
_UNFINISHED: Final = frozenset(
    {AttemptPhase.LOST, AttemptPhase.ABANDONED, AttemptPhase.AMBIGUOUS, AttemptPhase.RUNNING}
)


def complaints(world: World, result: OrderResult, videos: dict[str, VideoResult]) -> list[str]:
    found = [*world.complaints, *world.kie.complaints, *_of_order(world, result)]
    for video in world.videos.values():
        found += [f"{video.id}: {complaint}" for complaint in _of_video(world, video)]
        told = videos.get(video.id)
        if told is not None and _misreported(video, told):
            found.append(f"{video.id} is {video.state}, its workflow said {told}")
    return found


def _misreported(video: Video, told: VideoResult) -> bool:
    """A failure is the reason of a refund, and of nothing else."""
    agree = (told.state, told.captured) == (video.state, video.state.captured)
    return not agree or (bool(told.failure_class) and video.state is not VideoState.FAILED)


def _of_order(world: World, result: OrderResult) -> Iterator[str]:
    rows = world.progress()
    counts = (result.delivered, result.waiting, result.failed, result.cancelled)
    if world.plan.reserved and counts != (rows.delivered, rows.waiting, rows.failed, rows.cancelled):
        yield f"the order said {result}, its rows are {rows}"
    ended_early = world.plan.reserved and world.released
    if ended_early and "tell_order_failure" not in world.told:
        yield "the order was refunded, and its user not told"
    several = len(world.videos) > 1
    if world.plan.reserved and several and not ended_early and "send_closing_card" not in world.told:
        yield "several videos, and no closing card"


def _of_video(world: World, video: Video) -> Iterator[str]:
    if not video.state.closed or len(video.entries) != 1:
        yield f"{video.state}, settled {len(video.entries)} times"
        return
    if video.chat.copies > 1:
        yield f"{video.chat.copies} copies in the chat"
    if video.state.captured != video.chat.may_have_it:
        yield f"{video.state}, in the chat: {video.chat}"
    if video.settled_at and video.settled_at > world.deadline_at + _LAST_SENDING:
        yield f"settled {video.settled_at - world.deadline_at} after its deadline"
    yield from _untold(world, video)
    if video.opened and video.state is VideoState.FAILED:
        yield from _unexplained(world, video)


def _untold(world: World, video: Video) -> Iterator[str]:
    chat = video.chat
    if video.state is VideoState.FAILED and video.opened and not chat.told_failed:
        yield "refunded, and its user not told"
    if video.state is VideoState.DELIVERED and not chat.rung:
        yield "delivered, and its user's phone did not ring"
    alone = len(world.videos) == 1 and world.plan.reserved
    if video.state is VideoState.CANCELLED and alone and not _TOLD_OF_REFUND.intersection(world.told):
        yield "cancelled, and its user not told"
    if video.failure_class in _ALERTS and video.failure_class not in world.alerts and world.plan.reserved:
        yield f"{video.failure_class}, and no alert"


def _called(world: World, video: Video, row: AttemptRow) -> bool:
    """Its answer was lost, and KIE's callback came long before it was given up."""
    task = next((task for task in world.kie.tasks if task.attempt_id == row.id), None)
    early = video.plans[row.id].callback in {Callback.EARLY, Callback.TWICE}
    ended = task is not None and task.plan.end is not End.NEVER
    return row.phase is AttemptPhase.LOST and early and ended


def _unexplained(world: World, video: Video) -> Iterator[str]:
    """A refund has a reason that was met as often as it takes."""
    failure_class = video.failure_class
    late = bool(video.settled_at and video.settled_at + _PAUSE_AND_MAKING > world.deadline_at)
    met = video.raised.count(failure_class) if failure_class else 0
    if failure_class is FailureClass.TIMED_OUT:
        explained = late or any(
            row.phase in _UNFINISHED and not _called(world, video, row) for row in video.attempts
        )
    elif failure_class is FailureClass.DELIVERY:
        explained = late or video.chat.refused >= 3
    elif failure_class is FailureClass.RATE_LIMIT and video.plan.queue_rounds:
        explained = True
    else:
        explained = met >= _CREATES.get(failure_class, 1) if failure_class else False
    if not explained:
        yield f"{failure_class} met {met} times: {[row.phase for row in video.attempts]}"
