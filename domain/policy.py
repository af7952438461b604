"""Every time span of an order, in one value that travels in the workflow's input.

A workflow reads no settings: whoever starts it resolves them, so that a changed setting never breaks
a replay. `scaled` shortens the waits that are ours, for tests and benchmarks.
"""

from typing import Final, Self

from pydantic import BaseModel, ConfigDict

_ACTIVITY_TIMEOUT_SECONDS_MIN: Final = 15.0
_HEARTBEAT_SECONDS_MIN: Final = 5.0


class OrderPolicy(BaseModel):
    """Seconds, unless the name says otherwise."""

    model_config = ConfigDict(frozen=True)

    admission_wait_seconds: float = 1_800.0  # as long as a busy evening may let an order wait
    admission_recheck_seconds: float = 120.0
    kie_wait_seconds: float = 1_800.0
    kie_poll_seconds: float = 30.0
    kie_first_poll_factor: float = 1.0
    ambiguous_wait_seconds: float = 1_200.0
    ambiguous_recheck_seconds: float = 120.0
    sending_wait_seconds: float = 900.0
    send_pause_seconds: float = 5.0
    send_tries_max: int = 3
    send_timeout_seconds: float = 180.0
    result_pauses_seconds: tuple[float, ...] = (10.0, 20.0)
    outage_pause_seconds: float = 1.0
    outage_pause_seconds_max: float = 60.0
    long_wait_seconds: tuple[float, ...] = (300.0, 600.0, 1_200.0)
    rows_recheck_seconds: float = 600.0
    order_deadline_seconds: float = 3_600.0
    retry_scale: float = 1.0
    create_timeout_seconds: float = 60.0
    fetch_timeout_seconds: float = 180.0
    call_timeout_seconds: float = 60.0
    heartbeat_timeout_seconds: float = 15.0  # with the 10 s of a dead worker's own queue: under half a minute

    def scaled(self, time_scale: float) -> Self:
        """Waits shrink; a single call keeps the time a real machine needs for it."""
        if time_scale == 1.0:
            return self
        waits = {
            name: _times(value, time_scale)
            for name, value in self.model_dump().items()
            if name.endswith(("_wait_seconds", "_recheck_seconds", "_pause_seconds", "_pauses_seconds"))
            or name in {"kie_poll_seconds", "long_wait_seconds", "order_deadline_seconds", "retry_scale",
                        "outage_pause_seconds_max", "kie_first_poll_factor"}
        }  # fmt: skip
        calls = {
            name: max(_ACTIVITY_TIMEOUT_SECONDS_MIN, getattr(self, name) * time_scale)
            for name in ("create_timeout_seconds", "fetch_timeout_seconds", "call_timeout_seconds",
                         "send_timeout_seconds")
        }  # fmt: skip
        heartbeat = max(_HEARTBEAT_SECONDS_MIN, self.heartbeat_timeout_seconds * time_scale)
        return self.model_copy(update={**waits, **calls, "heartbeat_timeout_seconds": heartbeat})


def _times(value: float | tuple[float, ...], scale: float) -> float | tuple[float, ...]:
    return tuple(each * scale for each in value) if isinstance(value, tuple) else value * scale
