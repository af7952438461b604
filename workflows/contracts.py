"""What goes into a workflow, comes out of it, and reaches it on the way."""

from pydantic import BaseModel, ConfigDict

from domain.failures import FailureReason
from domain.orders import VideoState
from domain.policy import OrderPolicy


class Payload(BaseModel):
    model_config = ConfigDict(frozen=True)


class OrderInput(Payload):
    order_id: str
    tg_user_id: int
    video_count: int
    template: str = ""
    policy: OrderPolicy = OrderPolicy()


class OrderResult(Payload):
    """`outcome`: `completed`, `cancelled`, `not_reserved`, or the failure class that ended all of it."""

    outcome: str
    delivered: int = 0
    waiting: int = 0
    failed: int = 0
    cancelled: int = 0


class VideoInput(Payload):
    video_id: str
    order_id: str
    number: int
    video_count: int
    policy: OrderPolicy = OrderPolicy()


class VideoResult(Payload):
    """How the video ended. `attempts` counts the create calls this run made or took up."""

    state: VideoState
    captured: bool
    failure_class: str = ""
    reason: FailureReason = FailureReason.NONE
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


class Nothing(Payload):
    """A signal or a workflow with nothing to say."""
