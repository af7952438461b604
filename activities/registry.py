"""Which queue serves which activity."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from activities.alerting import AlertActivities
from activities.contracts import ALL_CONTRACTS, TaskQueue
from activities.delivery import DeliveryActivities
from activities.kie import KieActivities
from activities.media import MediaActivities
from activities.notices import NoticeActivities
from activities.orders import OrderActivities
from activities.probing import ProbeActivities
from activities.prompts import PromptActivities
from activities.retention import RetentionActivities


@dataclass(frozen=True, slots=True)
class ActivityParts:
    """Built by hand in worker_main."""

    orders: OrderActivities
    prompts: PromptActivities
    kie: KieActivities
    media: MediaActivities
    delivery: DeliveryActivities
    notices: NoticeActivities
    alerts: AlertActivities
    probe: ProbeActivities
    retention: RetentionActivities


def activities_by_queue(parts: ActivityParts) -> dict[TaskQueue, list[Callable[..., Any]]]:
    owners = [getattr(parts, field.name) for field in fields(parts)]
    by_name = {contract.name: contract.queue for contract in ALL_CONTRACTS}
    served: dict[TaskQueue, list[Callable[..., Any]]] = {queue: [] for queue in TaskQueue}
    for name, queue in by_name.items():
        served[queue].append(next(getattr(owner, name) for owner in owners if hasattr(owner, name)))
    return served
