"""Writes docs/metrics.md from the catalogue: `python -m telemetry.document`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from telemetry import metrics
from telemetry.instruments import Counter, Gauge, Histogram, Instrument

TARGET: Final = Path(__file__).parents[1] / "docs" / "metrics.md"

_SUFFIXES: Final = {Counter: "_total", Histogram: "_seconds"}
_KINDS: Final = {Counter: "Counters", Histogram: "Histograms of seconds", Gauge: "Gauges"}
_HEAD: Final = """# Metrics

Written by `python -m telemetry.document` from `telemetry/metrics.py`; a test fails when it is out of date.
Bot and workers each show theirs at `METRICS_PORT` under `/metrics`, beside those of Temporal's SDK
(`temporal_…`); `make run` says where. Why so: [decisions/metrics.md](decisions/metrics.md).

- Each fact is counted once, by the process that committed it. What the operator's command line does is in the
  ledger and in no counter: nobody reads the metrics of a process that ends at once.
- Gauges are of the whole system, looked at every 15 s; several workers show the same: take the `max`.
  `neurocards_measured_timestamp_seconds` says by `source` how old they are. A worker whose source has failed
  for 3 minutes shows `NaN` instead: `max` and `min` pass over it, no comparison is true of it, a `sum` needs
  a `max` inside, and `absent(x)` has to be `absent(x >= 0)`.
- An empty label is none: no failure, or no video model that it ever came to.
- `code` is what the provider answered: KIE's own code, else the HTTP status; without an answer `none`,
  `timeout` or `connect`. `getUpdates` waits for updates on purpose: leave it out of latencies.
"""


def document() -> str:
    return "\n".join([_HEAD, *(_table(kind) for kind in _KINDS)])


def _table(kind: type[Instrument]) -> str:
    rows = [_row(each) for each in metrics.ALL if isinstance(each, kind)]
    return "\n".join([f"## {_KINDS[kind]}\n", "| name | labels | what it is |", "|---|---|---|", *rows, ""])


def _row(each: Instrument) -> str:
    name = f"{each.name}{_SUFFIXES.get(type(each), '')}"
    return f"| `{name}` | {_code(each.labels)} | {each.description}{_buckets(each)} |"


def _buckets(each: Instrument) -> str:
    ends = ", ".join(f"{end:g}" for end in each.buckets) if isinstance(each, Histogram) else ""
    return f"; up to {ends} s" if ends else ""


def _code(labels: Iterable[str]) -> str:
    return " ".join(f"`{label}`" for label in labels) or "–"


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
