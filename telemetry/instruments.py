"""Counters, histograms and gauges on the SDK's own meter: one endpoint per process shows Temporal's and ours.

Like loggers they are module-wide and need no set-up: until `use` they measure into the void.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import nan
from typing import ClassVar, Final

from temporalio.common import (
    MetricCounter,
    MetricGaugeFloat,
    MetricHistogramFloat,
    MetricMeter,
)

SECONDS: Final = "seconds"
QUICK_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0)
SLOW_BUCKETS: Final = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 2_700.0, 3_600.0)


@dataclass(frozen=True, slots=True)
class Instrument:
    """`name` as it is on the wire, but for the suffix: `_total` of counters, `_seconds` of histograms."""

    name: str
    description: str
    labels: tuple[str, ...] = ()

    def _attributes(self, labels: dict[str, str]) -> dict[str, str]:
        if set(labels) != set(self.labels):
            raise ValueError(f"{self.name} has the labels {self.labels}, not {tuple(labels)}")
        return labels


@dataclass(frozen=True, slots=True)
class Counter(Instrument):
    def add(self, count: int = 1, **labels: str) -> None:
        _Made.counter(self).add(count, self._attributes(labels))

    def begin(self, **values: Iterable[str]) -> None:
        """At 0 with every combination of these: an alert on the first one must not be blind."""
        for combination in product(*values.values()):
            self.add(0, **dict(zip(values, combination, strict=True)))


@dataclass(frozen=True, slots=True)
class Histogram(Instrument):
    """Of seconds."""

    buckets: Sequence[float] = QUICK_BUCKETS

    def record(self, seconds: float, **labels: str) -> None:
        """Below 0, where two machines' clocks differ, is 0: the meter refuses it, and the work is done."""
        _Made.histogram(self).record(max(0.0, seconds), self._attributes(labels))


@dataclass(frozen=True, slots=True)
class Gauge(Instrument):
    """`name` carries its unit, if it has one."""

    def set(self, value: float, **labels: str) -> None:
        """Below 0, as an overdrawn balance, is 0: the meter knows nothing less."""
        _Made.gauge(self).set(max(0.0, value), self._attributes(labels))

    def forget(self, **labels: str) -> None:
        """It is not known any more. The meter drops no series: it shows NaN, and `max` passes over that."""
        _Made.gauge(self).set(nan, self._attributes(labels))


class _Made:
    """What the meter in use has made of the instruments so far."""

    meter: ClassVar[MetricMeter] = MetricMeter.noop
    counters: ClassVar[dict[str, MetricCounter]] = {}
    histograms: ClassVar[dict[str, MetricHistogramFloat]] = {}
    gauges: ClassVar[dict[str, MetricGaugeFloat]] = {}

    @classmethod
    def counter(cls, of: Instrument) -> MetricCounter:
        if of.name not in cls.counters:
            cls.counters[of.name] = cls.meter.create_counter(of.name, of.description)
        return cls.counters[of.name]

    @classmethod
    def histogram(cls, of: Instrument) -> MetricHistogramFloat:
        if of.name not in cls.histograms:
            made = cls.meter.create_histogram_float(of.name, of.description, SECONDS)
            cls.histograms[of.name] = made
        return cls.histograms[of.name]

    @classmethod
    def gauge(cls, of: Instrument) -> MetricGaugeFloat:
        if of.name not in cls.gauges:
            cls.gauges[of.name] = cls.meter.create_gauge_float(of.name, of.description)
        return cls.gauges[of.name]


def use(meter: MetricMeter) -> None:
    """From now on everything is measured there."""
    _Made.meter = meter
    for made in (_Made.counters, _Made.histograms, _Made.gauges):
        made.clear()
