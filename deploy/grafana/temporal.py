"""Temporal: our workers as its SDK sees them, and the server itself."""

from typing import Final

from deploy.grafana.panels import Dashboard, Panel, Query, Section, Unit, quantile, rate

_WORKER: Final = 'job="worker"'
_SERVER: Final = 'job="temporal"'

_WORKFLOWS: Final = Section(
    "Workflows",
    (
        Panel(
            "Workflows that ended",
            "by type; what one that failed has left behind is settled by housekeeping",
            Unit.PER_SECOND,
            (
                Query(
                    rate("temporal_workflow_completed_total", "workflow_type", _WORKER), "{{workflow_type}}"
                ),
                Query(
                    rate("temporal_workflow_failed_total", "workflow_type", _WORKER),
                    "{{workflow_type}}: failed",
                ),
                Query(
                    rate("temporal_workflow_canceled_total", "workflow_type", _WORKER),
                    "{{workflow_type}}: cancelled",
                ),
            ),
        ),
        Panel(
            "From start to end",
            "95 % of each type of workflow",
            Unit.SECONDS,
            (
                Query(
                    quantile(0.95, "temporal_workflow_endtoend_latency_seconds", "workflow_type", _WORKER),
                    "{{workflow_type}}",
                ),
            ),
        ),
        Panel(
            "Workflows with problems",
            "their task fails again and again: a bug, or code that does not fit the history",
            Unit.COUNT,
            (
                Query("max(neurocards_problem_workflows)", "workflows"),
                Query(
                    f"sum(increase(temporal_workflow_task_execution_failed_total{{{_WORKER}}}[10m]))",
                    "failed tasks in 10 min",
                ),
            ),
        ),
    ),
)

_ACTIVITIES: Final = Section(
    "Activities",
    (
        Panel(
            "Wait for a worker",
            "95 % of the activities of each task queue: above 5 s the role is short of workers",
            Unit.SECONDS,
            (
                Query(
                    quantile(
                        0.95, "temporal_activity_schedule_to_start_latency_seconds", "task_queue", _WORKER
                    ),
                    "{{task_queue}}",
                ),
            ),
        ),
        Panel(
            "Run time",
            "95 % of each activity",
            Unit.SECONDS,
            (
                Query(
                    quantile(0.95, "temporal_activity_execution_latency_seconds", "activity_type", _WORKER),
                    "{{activity_type}}",
                ),
            ),
        ),
        Panel(
            "Failed tries",
            "each is tried again by Temporal; expected refusals are among them",
            Unit.PER_SECOND,
            (
                Query(
                    rate("temporal_activity_execution_failed_total", "activity_type", _WORKER),
                    "{{activity_type}}",
                ),
            ),
        ),
    ),
)

_WORKERS: Final = Section(
    "Workers",
    (
        Panel(
            "Slots in use",
            "by task queue and kind of work",
            Unit.COUNT,
            (
                Query(
                    f"sum by (task_queue, worker_type) (temporal_worker_task_slots_used{{{_WORKER}}})",
                    "{{task_queue}} {{worker_type}}",
                ),
            ),
        ),
        Panel(
            "Slots free",
            "0 is full",
            Unit.COUNT,
            (
                Query(
                    f"sum by (task_queue, worker_type) (temporal_worker_task_slots_available{{{_WORKER}}})",
                    "{{task_queue}} {{worker_type}}",
                ),
            ),
        ),
        Panel(
            "Pollers",
            "how many polls wait for work at the server, by task queue",
            Unit.COUNT,
            (
                Query(
                    f"sum by (task_queue, poller_type) (temporal_num_pollers{{{_WORKER}}})",
                    "{{task_queue}} {{poller_type}}",
                ),
            ),
        ),
        Panel(
            "Workflows in memory",
            "of each worker; a miss replays a history",
            Unit.COUNT,
            (Query(f"sum by (instance) (temporal_sticky_cache_size{{{_WORKER}}})", "{{instance}}"),),
        ),
        Panel(
            "Workflow task: wait and run time",
            "95 %",
            Unit.SECONDS,
            (
                Query(
                    quantile(0.95, "temporal_workflow_task_schedule_to_start_latency_seconds", where=_WORKER),
                    "wait for a worker",
                ),
                Query(
                    quantile(0.95, "temporal_workflow_task_execution_latency_seconds", where=_WORKER),
                    "run time",
                ),
                Query(
                    quantile(0.95, "temporal_workflow_task_replay_latency_seconds", where=_WORKER), "replay"
                ),
            ),
        ),
        Panel(
            "Calls to Temporal",
            "of bots and workers; failed ones apart",
            Unit.PER_SECOND,
            (
                Query(rate("temporal_request_total", "job", 'job=~"bot|worker"'), "{{job}}"),
                Query(rate("temporal_request_failure_total", "job", 'job=~"bot|worker"'), "{{job}}: failed"),
            ),
        ),
    ),
)

_SERVER_SECTION: Final = Section(
    "Server",
    (
        Panel(
            "Requests",
            "by service; the frontend's are ours",
            Unit.PER_SECOND,
            (Query(rate("service_requests", "service_name", _SERVER), "{{service_name}}"),),
        ),
        Panel(
            "Time per request",
            "95 %, without waiting for a poll; by service",
            Unit.SECONDS,
            (
                Query(
                    quantile(
                        0.95,
                        "service_latency_nouserlatency",
                        "service_name",
                        f'{_SERVER}, operation!~".*Poll.*"',
                    ),
                    "{{service_name}}",
                ),
            ),
        ),
        Panel(
            "Errors",
            "by type; NotFound and AlreadyStarted are daily bread",
            Unit.PER_SECOND,
            (Query(rate("service_error_with_type", "error_type", _SERVER), "{{error_type}}"),),
        ),
        Panel(
            "Time per call to the database",
            "95 %, the five slowest",
            Unit.SECONDS,
            (
                Query(
                    f"topk(5, {quantile(0.95, 'persistence_latency', 'operation', _SERVER)})", "{{operation}}"
                ),
            ),
        ),
        Panel(
            "Calls to the database",
            "and those that failed",
            Unit.PER_SECOND,
            (
                Query(rate("persistence_requests", "service_name", _SERVER), "{{service_name}}"),
                Query(rate("persistence_error_with_type", "error_type", _SERVER), "{{error_type}}"),
            ),
        ),
        Panel(
            "Memory",
            "the heap of the server's process",
            Unit.BYTES,
            (Query(f"max by (service_name) (memory_heapinuse{{{_SERVER}}})", "{{service_name}}"),),
        ),
    ),
)

TEMPORAL: Final = Dashboard(
    "temporal", "Temporal", (_WORKFLOWS, _ACTIVITIES, _WORKERS, _SERVER_SECTION), since="now-3h"
)
