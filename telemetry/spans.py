"""Spans as OpenTelemetry has them. Imported only where traces are wanted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from temporalio.client import Interceptor
from temporalio.contrib.opentelemetry import TracingInterceptor

from telemetry.tracing import TRACES_PATH, tap_span_id_of, trace_id_of

_SEND_SECONDS_MAX: Final = 3.0
_SEND_EVERY_MILLISECONDS: Final = 2_000
_QUEUE_MAX: Final = (
    4_096  # what does not fit while nobody takes it is lost: an order never waits for its trace
)
_SCOPE: Final = "neurocards"
_EXCEPTION: Final = "exception"
_EXCEPTION_TYPE: Final = "exception.type"

_tapped: ContextVar[SpanContext | None] = ContextVar("_tapped", default=None)


class OrderTracer:
    def __init__(self, endpoint: str, program: str) -> None:
        exporter = OTLPSpanExporter(endpoint=endpoint + TRACES_PATH, timeout=_SEND_SECONDS_MAX)
        self._provider = TracerProvider(
            sampler=ParentBased(root=_Taps()),
            resource=Resource({"service.name": f"{_SCOPE}-{program}"}),
            id_generator=_Ids(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                WithoutTexts(exporter),
                max_queue_size=_QUEUE_MAX,
                schedule_delay_millis=_SEND_EVERY_MILLISECONDS,
            )
        )
        self.tracer = self._provider.get_tracer(_SCOPE)

    def interceptor(self) -> Interceptor:
        return TracingInterceptor(self.tracer)

    @contextmanager
    def tap(self, order_id: str, since_ns: int) -> Iterator[None]:
        wanted = _tapped.set(_tap_of(order_id))
        try:
            span = self.tracer.start_span("tap", Context(), SpanKind.SERVER, start_time=since_ns)
        finally:
            _tapped.reset(wanted)
        span.set_attribute("order_id", order_id)
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            yield

    @contextmanager
    def of_order(self, order_id: str) -> Iterator[None]:
        parent = trace.set_span_in_context(NonRecordingSpan(_tap_of(order_id)), Context())
        token = otel_context.attach(parent)
        try:
            yield
        finally:
            otel_context.detach(token)

    @contextmanager
    def span(self, name: str, attributes: dict[str, str]) -> Iterator[None]:
        with self.tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes):
            yield

    def mark(self, attributes: dict[str, str]) -> None:
        trace.get_current_span().set_attributes(attributes)

    def end(self) -> None:
        self._provider.shutdown()


def _tap_of(order_id: str) -> SpanContext:
    return SpanContext(
        int(trace_id_of(order_id), 16),
        int(tap_span_id_of(order_id), 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


class _Ids(RandomIdGenerator):
    def generate_trace_id(self) -> int:
        tapped = _tapped.get()
        return super().generate_trace_id() if tapped is None else tapped.trace_id

    def generate_span_id(self) -> int:
        tapped = _tapped.get()
        return super().generate_span_id() if tapped is None else tapped.span_id


class _Taps(Sampler):
    """Only orders have a trace: no poll, no schedule, no check for health."""

    def should_sample(self, *_: Any, **__: Any) -> SamplingResult:
        return SamplingResult(Decision.DROP if _tapped.get() is None else Decision.RECORD_AND_SAMPLE)

    def get_description(self) -> str:
        return "orders"


class WithoutTexts(SpanExporter):
    """Messages of exceptions may quote what a person or a provider wrote: they stay here."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_without_texts(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _without_texts(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        span.name,
        span.context,
        span.parent,
        span.resource,
        span.attributes,
        [_kind_of(event) for event in span.events if event.name == _EXCEPTION],
        span.links,
        span.kind,
        status=_without_message(span.status),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _kind_of(exception: Event) -> Event:
    kind = (exception.attributes or {}).get(_EXCEPTION_TYPE, "")
    return Event(_EXCEPTION, {_EXCEPTION_TYPE: kind}, exception.timestamp)


def _without_message(status: Status) -> Status:
    """`RuntimeError: what it says` becomes `RuntimeError`."""
    if status.status_code is not StatusCode.ERROR:
        return Status(status.status_code)
    return Status(StatusCode.ERROR, (status.description or "").partition(":")[0])
