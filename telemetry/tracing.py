"""Traces: one per order, from the tap to the delivery. Without `begin` nothing is imported, and nothing done.

The trace of an order has an id that anybody can work out from the order's: whoever starts or wakes its
workflow, now or after a crash, continues the same trace.
"""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, Final, Protocol

from temporalio.client import Interceptor

TRACES_PATH: Final = "/v1/traces"
_TRACE_ID_HEX: Final = 32
_SPAN_ID_HEX: Final = 16


class Tracer(Protocol):
    def interceptor(self) -> Interceptor: ...
    def tap(self, order_id: str, since_ns: int) -> AbstractContextManager[None]: ...
    def of_order(self, order_id: str) -> AbstractContextManager[None]: ...
    def span(self, name: str, attributes: dict[str, str]) -> AbstractContextManager[None]: ...
    def mark(self, attributes: dict[str, str]) -> None: ...
    def end(self) -> None: ...


class _Traced:
    by: ClassVar[Tracer | None] = None


def begin(endpoint: str, program: str) -> None:
    """From now on spans go to `endpoint`, over HTTP."""
    from telemetry.spans import OrderTracer  # noqa: PLC0415 - whoever does not trace does not wait for its import

    _Traced.by = OrderTracer(endpoint, program)


def end() -> None:
    """Blocks for a few seconds at most, until what is left is sent."""
    if _Traced.by is not None:
        _Traced.by.end()
        _Traced.by = None


def interceptors() -> Sequence[Interceptor]:
    """For a Temporal client; its workers take them over."""
    return [] if _Traced.by is None else [_Traced.by.interceptor()]


def tap(order_id: str, since_ns: int) -> AbstractContextManager[None]:
    """The first span of the order, once per order: it began with the update that bought it."""
    return nullcontext() if _Traced.by is None else _Traced.by.tap(order_id, since_ns)


def of_order(order_id: str) -> AbstractContextManager[None]:
    """What happens inside belongs to the order's trace, though no tap led here."""
    return nullcontext() if _Traced.by is None else _Traced.by.of_order(order_id)


def span(name: str, **attributes: str) -> AbstractContextManager[None]:
    """A part of what is going on; outside of a trace it is nothing. Ids, codes and counts, never a text."""
    return nullcontext() if _Traced.by is None else _Traced.by.span(name, attributes)


def mark(**attributes: str) -> None:
    """Of the span that is going on."""
    if _Traced.by is not None:
        _Traced.by.mark(attributes)


def trace_id_of(order_id: str) -> str:
    """As viewers of traces want it."""
    return hashlib.sha256(f"trace/{order_id}".encode()).hexdigest()[:_TRACE_ID_HEX]


def tap_span_id_of(order_id: str) -> str:
    return hashlib.sha256(f"tap/{order_id}".encode()).hexdigest()[:_SPAN_ID_HEX]
