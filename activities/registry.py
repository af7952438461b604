"""Which activities a role serves, and of whom they are part."""

from collections.abc import Callable
from typing import Any, Final

from activities.contracts import ALL_CONTRACTS, TaskQueue

OWNERS: Final[dict[TaskQueue, tuple[str, ...]]] = {
    TaskQueue.ORDERS: ("orders", "lost", "invariants"),
    TaskQueue.PROMPTS: ("prompts",),
    TaskQueue.KIE: ("kie", "probe"),
    TaskQueue.KIE_CREATE: ("kie",),
    TaskQueue.MEDIA: ("media", "retention"),
    TaskQueue.TELEGRAM: ("delivery", "notices", "alerts", "invariant_news", "broadcasts", "report"),
}
"""By queue the parts of a worker whose methods are its activities; no other part is made for it."""


def activities_of(queue: TaskQueue, parts: object) -> list[Callable[..., Any]]:
    """Of `parts` only the owners of this queue are asked for."""
    owners = [getattr(parts, name) for name in OWNERS[queue]]
    names = [contract.name for contract in ALL_CONTRACTS if contract.queue is queue]
    return [next(getattr(owner, name) for owner in owners if hasattr(owner, name)) for name in names]
