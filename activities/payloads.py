"""What every payload is, and those of what belongs to no order: checks, broadcasts, the daily report."""

from pydantic import BaseModel, ConfigDict


class Payload(BaseModel):
    model_config = ConfigDict(frozen=True)


class CheckInvariants(Payload):
    """`complete`: every row, not only those written since the check before."""

    complete: bool = False


class CheckedRule(Payload):
    """`rows` were looked at now; `broken` were found by whichever check, and `subjects` are a few of them."""

    rule: str
    rows: int = 0
    broken: int = 0
    subjects: tuple[str, ...] = ()


class InvariantReport(Payload):
    """`has_news`: the admins have not read of everything. `pause_seconds` since the check before."""

    complete: bool
    rules: tuple[CheckedRule, ...] = ()
    has_news: bool = False
    pause_seconds: float = 0.0


class LostOrder(Payload):
    """All of its videos are closed, and nobody closes the order."""

    order_id: str
    video_count: int = 1


class LostWork(Payload):
    """What stands open without a workflow. `bought_video_ids` wait for a reset, or for their deadline."""

    video_ids: tuple[str, ...] = ()
    bought_video_ids: tuple[str, ...] = ()
    orders: tuple[LostOrder, ...] = ()


class BroadcastRef(Payload):
    broadcast_id: str


class SendBroadcast(Payload):
    """To the next `users_max`, or to fewer where there is trouble."""

    broadcast_id: str
    users_max: int = 200


class BroadcastProgress(Payload):
    """`pause_seconds` is what Telegram asks for; with a `trouble` alone the workflow decides."""

    state: str
    users_total: int = 0
    sent: int = 0
    blocked: int = 0
    failed: int = 0
    unknown: int = 0
    pause_seconds: float = 0.0
    trouble: str = ""


class DailyReportSent(Payload):
    """`day` is the one the report is about; nobody is told twice, and nobody where there are no admins."""

    day: str
    admins: int = 0
