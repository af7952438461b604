"""What goes into a workflow, comes out of it, and reaches it on the way."""

from activities.payloads import Payload
from domain.failures import FailureReason
from domain.orders import VideoState
from domain.policy import OrderPolicy


class OrderInput(Payload):
    order_id: str
    tg_user_id: int
    video_count: int
    template: str = ""
    policy: OrderPolicy = OrderPolicy()


class OrderResult(Payload):
    """`outcome`: `completed`, `cancelled`, `not_reserved`, or the failure class that ended all of it.

    `code` and `said` are the provider's, where it was one that failed.
    """

    outcome: str
    delivered: int = 0
    waiting: int = 0
    failed: int = 0
    cancelled: int = 0
    code: str = ""
    said: str = ""


class VideoInput(Payload):
    video_id: str
    order_id: str
    number: int
    video_count: int
    policy: OrderPolicy = OrderPolicy()


class VideoResult(Payload):
    """How the video ended. `attempts` counts the create calls this run made or took up.

    `code` and `said` are the provider's.
    """

    state: VideoState
    captured: bool
    failure_class: str = ""
    reason: FailureReason = FailureReason.NONE
    code: str = ""
    said: str = ""
    attempts: int = 0
    video_model: str = ""
    kie_task_ids: tuple[str, ...] = ()


class KieCallback(Payload):
    """A wake-up. The id is a candidate until recordInfo agrees."""

    attempt_id: str
    kie_task_id: str = ""


class VideoClosed(Payload):
    video_id: str
    state: VideoState = VideoState.DELIVERED


class ResendInput(Payload):
    video_id: str
    policy: OrderPolicy = OrderPolicy()


class InvariantCheckInput(Payload):
    complete: bool = False


class BroadcastInput(Payload):
    """`steps_max` stretches are one run's; `troubles` in a row came with the run before."""

    broadcast_id: str
    policy: OrderPolicy = OrderPolicy()
    steps_max: int = 500
    troubles: int = 0


class BroadcastResult(Payload):
    """`outcome`: `done` or `cancelled`. Who is counted nowhere blocked the bot or was forgotten meanwhile."""

    outcome: str
    users_total: int = 0
    sent: int = 0
    blocked: int = 0
    failed: int = 0
    unknown: int = 0


class Nothing(Payload):
    """A signal or a workflow with nothing to say."""
