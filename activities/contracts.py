"""Names and models of the activities: all a workflow knows of them.

Payloads carry ids, counts, templates and video models: never bytes, secrets or texts of people.
New fields only with defaults. A failed activity raises ApplicationError whose `type` is a failure class
(`domain.failures`) and whose one detail is a `FailureDetails`, or `ALREADY_SETTLED`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel

from activities.payloads import (
    BroadcastProgress,
    BroadcastRef,
    CheckInvariants,
    DailyReportSent,
    InvariantReport,
    LostWork,
    Payload,
    SendBroadcast,
)
from domain.failures import FailureClass, FailureReason
from domain.orders import VideoState


class TaskQueue(StrEnum):
    ORDERS = "orders"
    PROMPTS = "prompts"
    KIE = "kie"
    KIE_CREATE = "kie-create"
    MEDIA = "media"
    TELEGRAM = "telegram"


class FailureDetails(Payload):
    """The detail of an ApplicationError that carries a failure class; `said` is `provider_words`."""

    reason: FailureReason = FailureReason.NONE
    code: str = ""
    account: str = ""
    video_model: str = ""
    attempt_id: str = ""
    said: str = ""


# -- orders: PostgreSQL only -------------------------------------------------------------------------


class OrderRef(Payload):
    order_id: str


class ReservationResult(Payload):
    """`reserved` is the first result, however often it is asked for."""

    reserved: bool
    video_count: int = 0


class ReleaseOrder(Payload):
    """Refund every open video of an order none of whose children was started."""

    order_id: str
    failure_class: str = FailureClass.UNKNOWN.value
    reason: FailureReason = FailureReason.NONE


class CancelOrder(Payload):
    """Cancel what is not bought; a single video when `video_id` is given."""

    order_id: str
    video_id: str = ""


class CancelResult(Payload):
    """The videos that are CANCELLED now; the others may have been bought and go on."""

    cancelled_video_ids: tuple[str, ...] = ()


class OrderProgress(Payload):
    """Counts of the order's videos by state."""

    open: int = 0
    delivered: int = 0
    waiting: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def closed(self) -> bool:
        return self.open == 0


class VideoRef(Payload):
    video_id: str


class NextStep(StrEnum):
    """Where the rows say a video stands when its workflow (first, or reset) asks."""

    CREATE = "create"
    RESUME_ATTEMPT = "resume_attempt"
    FETCH_RESULT = "fetch_result"
    DELIVER = "deliver"


class FailedCreateFact(Payload):
    account: str
    video_model: str
    failure_class: str
    reason: FailureReason = FailureReason.NONE
    code: str = ""


class VideoFacts(Payload):
    """The rows of a video. `attempt` is set where it is to be resumed or its result fetched."""

    next_step: NextStep
    seconds_to_deadline: float
    attempt: "AttemptFacts | None" = None
    failed_creates: tuple[FailedCreateFact, ...] = ()


class AttemptFacts(Payload):
    """`typical_seconds` is how long this video model usually takes."""

    attempt_id: str
    state: str
    account: str
    key_id: str
    video_model: str
    typical_seconds: float
    kie_task_id: str = ""


class AdmissionRequest(Payload):
    """Which accounts and video models must not, or had better not, be used."""

    video_id: str
    excluded_accounts: tuple[str, ...] = ()
    avoided_accounts: tuple[str, ...] = ()
    excluded_models: tuple[str, ...] = ()


class AdmissionAnswer(Payload):
    """`attempt` is None while the video stands in the queue at `place` (1 is next)."""

    attempt: AttemptFacts | None = None
    place: int = 0


class SettleVideo(Payload):
    """`captured` False is a refund with its class and reason."""

    video_id: str
    captured: bool
    state: VideoState
    failure_class: str = ""
    reason: FailureReason = FailureReason.NONE


class SettleResult(Payload):
    """What the video's settlement is now, whoever wrote it first."""

    captured: bool
    state: VideoState
    won: bool


# -- prompts, media, kie ------------------------------------------------------------------------------


class UploadedPhoto(Payload):
    """KIE's own address of the photo, valid for 24 hours. It holds no secret."""

    url: str


class CreateRequest(Payload):
    attempt_id: str
    photo_url: str


class CreateOutcome(StrEnum):
    ACCEPTED = "ACCEPTED"
    AMBIGUOUS = "AMBIGUOUS"
    NOT_SENT = "NOT_SENT"
    TOO_EARLY = "TOO_EARLY"


class CreateResult(Payload):
    """A refusal is an ApplicationError. `wait_seconds` is for TOO_EARLY: the account's window is full."""

    outcome: CreateOutcome
    kie_task_id: str = ""
    wait_seconds: float = 0.0
    service_down: bool = False


class DeletedMedia(Payload):
    files: int = 0


class FetchResult(Payload):
    attempt_id: str
    fresh_link: bool = False


class CheckKieTask(Payload):
    """`candidate_kie_task_id` comes from a callback and is believed only after recordInfo agrees."""

    attempt_id: str
    candidate_kie_task_id: str = ""


class KieTaskStatus(StrEnum):
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    UNADOPTED = "UNADOPTED"


class KieTaskFacts(Payload):
    """A failed KIE task is an ApplicationError. `reachable` False: KIE could not be asked."""

    status: KieTaskStatus
    kie_task_id: str = ""
    reachable: bool = True


class AttemptRef(Payload):
    attempt_id: str


# -- telegram -----------------------------------------------------------------------------------------


class Stage(StrEnum):
    """What the caption of a placeholder says; also the search attribute OrderStage."""

    ACCEPTED = "accepted"
    WRITING = "writing"
    QUEUED = "queued"
    MAKING = "making"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    WAITING = "waiting"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class ShowStage(Payload):
    video_id: str
    stage: Stage


class SendOutcome(StrEnum):
    SENT = "SENT"
    BLOCKED = "BLOCKED"  # the user blocked the bot: the video waits for him
    REFUSED = "REFUSED"  # Telegram answered, and nothing was sent
    NOT_SENT = "NOT_SENT"  # Telegram could not be reached: uses up no try
    RATE_LIMITED = "RATE_LIMITED"  # wait `retry_after_seconds`, uses up no try
    UNCONFIRMED = "UNCONFIRMED"  # an edit without an answer: the next call looks first
    UNKNOWN = "UNKNOWN"  # may have been sent, and nobody can look: never refunded


class SendResult(Payload):
    outcome: SendOutcome
    refused_count: int = 0
    retry_after_seconds: float = 0.0
    said: str = ""


class TellLongWait(Payload):
    """`step` is 1, 2, 3: after 5, 10 and 20 minutes; OUTAGE_STEP when a service went down."""

    order_id: str
    step: int


class Alert(Payload):
    """For the admins; what happened is read from the rows of the order, video, attempt or account."""

    failure_class: str
    order_id: str = ""
    video_id: str = ""
    attempt_id: str = ""
    account: str = ""
    key_id: str = ""


class ProbedAccount(Payload):
    """`balance_kie_credits` is None where no key was answered. Lifted: what was blocked, and is no more."""

    account: str
    balance_kie_credits: float | None = None
    is_low: bool = False
    block_lifted: bool = False
    lifted_key_ids: tuple[str, ...] = ()
    refused_key_ids: tuple[str, ...] = ()


class KieBalances(Payload):
    """What one probe found, account by account."""

    accounts: tuple[ProbedAccount, ...] = ()


class OverdueVideos(Payload):
    """Nobody looks after them: past their deadline and open, or settled and not told."""

    video_ids: tuple[str, ...] = ()


class ResendVideo(Payload):
    """`run_id` is the asking workflow's, so that its own retry is not a second message."""

    video_id: str
    run_id: str


class Nothing(Payload):
    """An activity with nothing to say."""


# -- the list -----------------------------------------------------------------------------------------

RequestT = TypeVar("RequestT", bound=BaseModel)
ResultT = TypeVar("ResultT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ActivityContract(Generic[RequestT, ResultT]):
    """One activity: its name, the queue that serves it, what goes in and what comes out."""

    name: str
    queue: TaskQueue
    request: type[RequestT]
    result: type[ResultT]


RESERVE_CREDITS = ActivityContract("reserve_credits", TaskQueue.ORDERS, OrderRef, ReservationResult)
RELEASE_ORDER = ActivityContract("release_order", TaskQueue.ORDERS, ReleaseOrder, OrderProgress)
CANCEL_ORDER = ActivityContract("cancel_order", TaskQueue.ORDERS, CancelOrder, CancelResult)
READ_PROGRESS = ActivityContract("read_progress", TaskQueue.ORDERS, OrderRef, OrderProgress)
CLOSE_ORDER = ActivityContract("close_order", TaskQueue.ORDERS, OrderRef, OrderProgress)
OPEN_VIDEO = ActivityContract("open_video", TaskQueue.ORDERS, VideoRef, VideoFacts)
ADMIT_VIDEO = ActivityContract("admit_video", TaskQueue.KIE, AdmissionRequest, AdmissionAnswer)
SETTLE_VIDEO = ActivityContract("settle_video", TaskQueue.ORDERS, SettleVideo, SettleResult)
ABANDON_ATTEMPT = ActivityContract("abandon_attempt", TaskQueue.ORDERS, AttemptRef, Nothing)
LIST_OVERDUE = ActivityContract("list_overdue", TaskQueue.ORDERS, Nothing, OverdueVideos)
SETTLE_OVERDUE = ActivityContract("settle_overdue", TaskQueue.ORDERS, VideoRef, SettleResult)
LIST_LOST = ActivityContract("list_lost", TaskQueue.ORDERS, Nothing, LostWork)
SETTLE_LOST = ActivityContract("settle_lost", TaskQueue.ORDERS, VideoRef, SettleResult)
CHECK_INVARIANTS = ActivityContract("check_invariants", TaskQueue.ORDERS, CheckInvariants, InvariantReport)

FETCH_PHOTO = ActivityContract("fetch_photo", TaskQueue.MEDIA, OrderRef, Nothing)
FETCH_RESULT = ActivityContract("fetch_result", TaskQueue.MEDIA, FetchResult, Nothing)
DELETE_OLD_MEDIA = ActivityContract("delete_old_media", TaskQueue.MEDIA, Nothing, DeletedMedia)

MODERATE_BRIEF = ActivityContract("moderate_brief", TaskQueue.PROMPTS, OrderRef, Nothing)
WRITE_SCRIPTS = ActivityContract("write_scripts", TaskQueue.PROMPTS, OrderRef, Nothing)

UPLOAD_PHOTO = ActivityContract("upload_photo", TaskQueue.KIE, AttemptRef, UploadedPhoto)
CREATE_KIE_TASK = ActivityContract("create_kie_task", TaskQueue.KIE_CREATE, CreateRequest, CreateResult)
PROBE_KIE = ActivityContract("probe_kie", TaskQueue.KIE, Nothing, KieBalances)
CHECK_KIE_TASK = ActivityContract("check_kie_task", TaskQueue.KIE, CheckKieTask, KieTaskFacts)

SHOW_STAGE = ActivityContract("show_stage", TaskQueue.TELEGRAM, ShowStage, Nothing)
SEND_VIDEO = ActivityContract("send_video", TaskQueue.TELEGRAM, VideoRef, SendResult)
RESEND_VIDEO = ActivityContract("resend_video", TaskQueue.TELEGRAM, ResendVideo, SendResult)
RING = ActivityContract("ring", TaskQueue.TELEGRAM, VideoRef, Nothing)
TELL_FAILURE = ActivityContract("tell_failure", TaskQueue.TELEGRAM, VideoRef, Nothing)
TELL_ORDER_FAILURE = ActivityContract("tell_order_failure", TaskQueue.TELEGRAM, OrderRef, Nothing)
TELL_LONG_WAIT = ActivityContract("tell_long_wait", TaskQueue.TELEGRAM, TellLongWait, OrderProgress)
TELL_CANCELLED = ActivityContract("tell_cancelled", TaskQueue.TELEGRAM, OrderRef, Nothing)
SEND_CLOSING_CARD = ActivityContract("send_closing_card", TaskQueue.TELEGRAM, OrderRef, Nothing)
ALERT_ADMINS = ActivityContract("alert_admins", TaskQueue.TELEGRAM, Alert, Nothing)
TELL_INVARIANTS = ActivityContract("tell_invariants", TaskQueue.TELEGRAM, Nothing, Nothing)
SEND_BROADCAST = ActivityContract("send_broadcast", TaskQueue.TELEGRAM, SendBroadcast, BroadcastProgress)
CANCEL_BROADCAST = ActivityContract("cancel_broadcast", TaskQueue.TELEGRAM, BroadcastRef, BroadcastProgress)
SEND_DAILY_REPORT = ActivityContract("send_daily_report", TaskQueue.TELEGRAM, Nothing, DailyReportSent)

OUTAGE_STEP: Final = 0
OUTAGE_ALERT: Final = "OUTAGE"
LOW_BALANCE_ALERT: Final = "LOW_BALANCE"
LOST_WORKFLOW_ALERT: Final = "LOST_WORKFLOW"
"""Of an alert: not a failure of anybody's video, so no failure class."""

SIGNAL_ADMITTED: Final = "admitted"
"""To a `Video`: an account was found for it."""

ALL_CONTRACTS: tuple[ActivityContract[Any, Any], ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, ActivityContract)
)
