"""Every metric of ours: dashboards, alerts and the runbook name these and the SDK's, and no others.

Labels have few values: classes, outcomes, codes, accounts, video models; never an id. An empty one says that
there is none: no failure, or no video model that it ever came to.
Counters and histograms are of the process that did it. Gauges of the whole system are set by the workers of
the role `orders` (keys and accounts: `kie`; disks: who uses them), each as they are: read them with `max`.
"""

from typing import Final

from telemetry.instruments import SLOW_BUCKETS, Counter, Gauge, Histogram, Instrument

# -- orders and videos: counted when their row is settled, once
ORDERS_ACCEPTED: Final = Counter("neurocards_orders_accepted", "orders committed by a tap", ("template",))
ORDERS: Final = Counter(
    "neurocards_orders",
    "orders that ended: DELIVERED, PARTLY, FAILED, CANCELLED, UNFINISHED",
    ("outcome",),
)
VIDEOS: Final = Counter(
    "neurocards_videos", "videos that were settled", ("outcome", "failure_class", "video_model")
)
VIDEO_DURATION: Final = Histogram(
    "neurocards_video_duration", "from the tap to the settlement", ("outcome",), SLOW_BUCKETS
)
DELIVERY_DURATION: Final = Histogram(
    "neurocards_delivery_duration", "from KIE's end of the task to the video in the chat", (), SLOW_BUCKETS
)
ADMISSION_WAIT: Final = Histogram(
    "neurocards_admission_wait", "how long a video stood in the queue for a KIE account", (), SLOW_BUCKETS
)

# -- credits and money
CREDITS: Final = Counter(
    "neurocards_credits",
    "credits by what became of them: reserved, captured, refunded, welcome, granted, taken, bought, returned",
    ("kind",),
)
STARS: Final = Counter("neurocards_stars", "Telegram Stars that were paid or sent back", ("outcome",))

# -- others' services: `code` is the provider's own (KIE says 200 on the wire and means it in its JSON), else
# the HTTP status, else none, timeout, connect; `getUpdates` waits for updates on purpose
KIE_REQUESTS: Final = Histogram("neurocards_kie_request_duration", "one call to KIE", ("operation", "code"))
GPT_REQUESTS: Final = Histogram(
    "neurocards_gpt_request_duration", "one call to OpenAI", ("operation", "code"), SLOW_BUCKETS
)
TELEGRAM_REQUESTS: Final = Histogram(
    "neurocards_telegram_request_duration", "one call to Telegram; 429 is its code too", ("method", "code")
)
ATTEMPTS: Final = Counter(
    "neurocards_attempts", "create calls at KIE, by how they were answered", ("state", "video_model")
)
LATE_RESULTS: Final = Counter("neurocards_late_results", "KIE tasks that ended after their video was settled")
KIE_CALLBACKS: Final = Counter("neurocards_kie_callbacks", "requests at the callback address", ("outcome",))

# -- the bot
UPDATE_DURATION: Final = Histogram(
    "neurocards_update_duration",
    "from an update's arrival to the end of its handler",
    ("kind",),
)
ANSWER_DURATION: Final = Histogram(
    "neurocards_answer_duration", "from an update's arrival to the first thing its user sees", ("kind",)
)

# -- the whole system, read from rows and from Temporal
OPEN_VIDEOS: Final = Gauge("neurocards_open_videos", "videos not settled yet", ("stage",))
QUEUED_VIDEOS: Final = Gauge("neurocards_queued_videos", "videos that wait for a KIE account")
QUEUE_AGE: Final = Gauge("neurocards_queue_age_seconds", "how long the first of them waits")
RESERVATION_AGE: Final = Gauge("neurocards_reservation_age_seconds", "age of the oldest open reservation")
UNSTARTED_ORDERS: Final = Gauge("neurocards_unstarted_orders", "committed orders without a workflow")
AMBIGUOUS_ATTEMPTS: Final = Gauge("neurocards_ambiguous_attempts", "creates whose answer is not known yet")
KIE_KEYS: Final = Gauge("neurocards_kie_keys", "API keys by state: serving, blocked", ("state",))
KIE_SLOTS: Final = Gauge("neurocards_kie_slots_used", "tasks under way at a KIE account", ("account",))
KIE_BALANCE: Final = Gauge("neurocards_kie_balance_credits", "KIE's credits of an account", ("account",))
KIE_SPENT: Final = Gauge("neurocards_kie_spent_day_credits", "what it spent in 24 hours", ("account",))
CALLBACK_AT: Final = Gauge("neurocards_kie_callback_timestamp_seconds", "Unix time of the last KIE callback")
SERVICE_DOWN: Final = Gauge("neurocards_service_down", "1 while a service is marked as down", ("service",))
BACKLOG: Final = Gauge("neurocards_task_queue_backlog", "tasks that wait in a queue", ("task_queue", "kind"))
BACKLOG_AGE: Final = Gauge(
    "neurocards_task_queue_backlog_age_seconds", "how long the first of them waits", ("task_queue", "kind")
)
POLLERS: Final = Gauge("neurocards_task_queue_pollers", "who asks a queue for work", ("task_queue", "kind"))
PROBLEM_WORKFLOWS: Final = Gauge(
    "neurocards_problem_workflows", "workflows whose task fails again and again: TemporalReportedProblems"
)
BROKEN_INVARIANTS: Final = Gauge("neurocards_broken_invariants", "subjects of a rule, not mended", ("rule",))
INVARIANTS_CHECKED_AT: Final = Gauge(
    "neurocards_invariants_checked_timestamp_seconds", "Unix time of the last check that came to its end"
)
BACKUP_AT: Final = Gauge("neurocards_backup_timestamp_seconds", "Unix time of the last base backup's end")
WAL_ARCHIVED_AT: Final = Gauge(
    "neurocards_wal_archived_timestamp_seconds", "Unix time until which the WAL archive reaches"
)
RESTORE_TESTED_AT: Final = Gauge(
    "neurocards_restore_tested_timestamp_seconds", "Unix time of the last restore test that succeeded"
)
DISK_FREE: Final = Gauge("neurocards_disk_free_ratio", "free part of a disk", ("volume",))
MEASURED_AT: Final = Gauge(
    "neurocards_measured_timestamp_seconds",
    "Unix time of the last look at a source of these gauges that did not fail",
    ("source",),
)

ALL: Final[tuple[Instrument, ...]] = tuple(
    each for each in list(globals().values()) if isinstance(each, Instrument)
)


def buckets() -> dict[str, list[float]]:
    """As the SDK wants them, by name without suffix."""
    return {each.name: list(each.buckets) for each in ALL if isinstance(each, Histogram)}
