"""Is what is promised kept, and if not, where does it hang."""

from typing import Final

from deploy.grafana.panels import (
    Dashboard,
    Kind,
    Panel,
    Query,
    Section,
    Unit,
    half_and_most,
    quantile,
    rate,
)


def _age(title: str, description: str, metric: str) -> Panel:
    return Panel(title, description, Unit.AGO, (Query(f"time() - max({metric})", "ago"),), Kind.STAT, width=4)


_PROMISES: Final = Section(
    "Promises",
    (
        Panel(
            "Allowance used: bad share of the last hour",
            "0.5 % of answers and deliveries may be late, 0.1 % of settlements; see docs/slo.md",
            Unit.SHARE,
            (
                Query("neurocards:answers_bad:ratio1h", "answered after 1.5 s"),
                Query("neurocards:deliveries_bad:ratio1h", "delivered after 60 s, or not"),
                Query("neurocards:settlements_bad:ratio1h", "settled after 45 min"),
            ),
            width=12,
        ),
        Panel(
            "Alerts",
            "what Prometheus complains of now; Watchdog is always there",
            Unit.COUNT,
            (Query('ALERTS{alertstate="firing"}', "{{alertname}}"),),
            Kind.TABLE,
            width=12,
        ),
    ),
)

_BOT: Final = Section(
    "The bot",
    (
        Panel(
            "Updates",
            "messages, taps and payments, by kind",
            Unit.PER_SECOND,
            (Query(rate("neurocards_update_duration_seconds_count", "kind"), "{{kind}}"),),
            stacked=True,
        ),
        Panel(
            "Until an answer is seen",
            "1.5 s are promised for 99.5 %",
            Unit.SECONDS,
            half_and_most("neurocards_answer_duration_seconds"),
        ),
        Panel(
            "Until an update is handled",
            "95 % of each kind",
            Unit.SECONDS,
            (Query(quantile(0.95, "neurocards_update_duration_seconds", "kind"), "{{kind}}"),),
        ),
    ),
)

_QUEUES: Final = Section(
    "Queues of work",
    (
        Panel(
            "Tasks that wait",
            "in each task queue; scale the role whose line rises",
            Unit.COUNT,
            (Query("max by (task_queue, kind) (neurocards_task_queue_backlog)", "{{task_queue}} {{kind}}"),),
        ),
        Panel(
            "How long the first waits",
            "in each task queue",
            Unit.SECONDS,
            (
                Query(
                    "max by (task_queue, kind) (neurocards_task_queue_backlog_age_seconds)",
                    "{{task_queue}} {{kind}}",
                ),
            ),
        ),
        Panel(
            "Who asks for work",
            "pollers of each task queue; 0 is an alert",
            Unit.COUNT,
            (Query("max by (task_queue, kind) (neurocards_task_queue_pollers)", "{{task_queue}} {{kind}}"),),
        ),
    ),
)

_KIE: Final = Section(
    "KIE",
    (
        Panel(
            "Slots in use",
            "KIE tasks under way at each account; about 100 fit",
            Unit.COUNT,
            (Query("max by (account) (neurocards_kie_slots_used)", "{{account}}"),),
        ),
        Panel(
            "API keys",
            "a blocked one was refused (401), is without money (402) or slowed down (429)",
            Unit.COUNT,
            (Query("max by (state) (neurocards_kie_keys)", "{{state}}"),),
        ),
        Panel(
            "Balance and what a day costs",
            "KIE's credits of each account",
            Unit.COUNT,
            (
                Query("max by (account) (neurocards_kie_balance_credits)", "{{account}}: left"),
                Query("max by (account) (neurocards_kie_spent_day_credits)", "{{account}}: spent in 24 h"),
            ),
        ),
        Panel(
            "Creates",
            "by how KIE answered; AMBIGUOUS may have been billed",
            Unit.PER_SECOND,
            (Query(rate("neurocards_attempts_total", "state"), "{{state}}"),),
            stacked=True,
        ),
        Panel(
            "Unclear creates and late results",
            "creates whose answer is not known yet; KIE tasks that ended after their video was settled",
            Unit.COUNT,
            (
                Query("max(neurocards_ambiguous_attempts)", "unclear now"),
                Query("sum(increase(neurocards_late_results_total[1h]))", "late in the last hour"),
            ),
        ),
        Panel(
            "Callbacks",
            "requests at the callback address, by what came of them",
            Unit.PER_SECOND,
            (Query(rate("neurocards_kie_callbacks_total", "outcome"), "{{outcome}}"),),
        ),
        Panel(
            "Calls to KIE",
            "by operation and answer",
            Unit.PER_SECOND,
            (
                Query(
                    rate("neurocards_kie_request_duration_seconds_count", "operation, code"),
                    "{{operation}} {{code}}",
                ),
            ),
        ),
        Panel(
            "How long KIE takes to answer",
            "95 % of the calls of each operation; not the making of the video",
            Unit.SECONDS,
            (Query(quantile(0.95, "neurocards_kie_request_duration_seconds", "operation"), "{{operation}}"),),
        ),
        Panel(
            "Services that are down",
            "1 while ten calls in a row did not get through",
            Unit.COUNT,
            (Query("max by (service) (neurocards_service_down)", "{{service}}"),),
        ),
    ),
)

_OTHERS: Final = Section(
    "OpenAI and Telegram",
    (
        Panel(
            "Calls to OpenAI",
            "by operation and answer",
            Unit.PER_SECOND,
            (
                Query(
                    rate("neurocards_gpt_request_duration_seconds_count", "operation, code"),
                    "{{operation}} {{code}}",
                ),
            ),
        ),
        Panel(
            "How long OpenAI takes",
            "to moderate, and to write scripts",
            Unit.SECONDS,
            (Query(quantile(0.95, "neurocards_gpt_request_duration_seconds", "operation"), "{{operation}}"),),
        ),
        Panel(
            "Calls to Telegram",
            "by answer; 429 is Telegram slowing us down",
            Unit.PER_SECOND,
            (Query(rate("neurocards_telegram_request_duration_seconds_count", "code"), "{{code}}"),),
        ),
        Panel(
            "How long Telegram takes",
            "95 % of the calls of each method, but for the one that waits for updates",
            Unit.SECONDS,
            (
                Query(
                    quantile(
                        0.95, "neurocards_telegram_request_duration_seconds", "method", 'method!="getUpdates"'
                    ),
                    "{{method}}",
                ),
            ),
            width=12,
        ),
        Panel(
            "Failed videos",
            "by failure class; the runbook says who can help",
            Unit.PER_SECOND,
            (
                Query(
                    rate("neurocards_videos_total", "failure_class", 'outcome="FAILED"'), "{{failure_class}}"
                ),
            ),
            width=12,
            stacked=True,
        ),
    ),
)

_SAFETY: Final = Section(
    "Money and safety",
    (
        Panel(
            "Broken invariants",
            "wallets, videos, payments that contradict the ledger; anything but 0 is an alert",
            Unit.COUNT,
            (Query("max by (rule) (neurocards_broken_invariants)", "{{rule}}"),),
        ),
        Panel(
            "Orders that hang",
            "accepted ones without a workflow, and the age of the oldest open reservation",
            Unit.COUNT,
            (
                Query("max(neurocards_unstarted_orders)", "unstarted orders"),
                Query("max(neurocards_reservation_age_seconds) / 60", "oldest reservation, minutes"),
            ),
        ),
        Panel(
            "Free disk",
            "below 15 % is an alert",
            Unit.SHARE,
            (Query("min by (volume) (neurocards_disk_free_ratio)", "{{volume}}"),),
        ),
        _age("Invariants checked", "every minute", "neurocards_invariants_checked_timestamp_seconds"),
        _age(
            "Measured",
            "rows and queues, by a worker of the role orders",
            "neurocards_measured_timestamp_seconds",
        ),
        _age(
            "KIE's last callback",
            "silent is not down: we also ask",
            "neurocards_kie_callback_timestamp_seconds",
        ),
        _age("Base backup", "one a day", "neurocards_backup_timestamp_seconds"),
        _age("WAL archived", "what would be lost with the disk", "neurocards_wal_archived_timestamp_seconds"),
        _age("Restore tested", "one a week", "neurocards_restore_tested_timestamp_seconds"),
    ),
)

OPERATION: Final = Dashboard(
    "operation", "operation", (_PROMISES, _BOT, _QUEUES, _KIE, _OTHERS, _SAFETY), since="now-3h"
)
