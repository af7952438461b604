"""Lines of `--report` as the table of docs/reliability.md: `python -m tests.chaos.report FILE...`."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

_COUNTED = ("orders", "videos", "delivered", "refunded", "cancelled", "waiting")
_COLUMNS = (
    "seed", "minutes", "commit", *_COUNTED,
    "kills", "faulty calls", "lost answers adopted / counted", "calm after, s", "bot back, s",
    "worker back, s", "violations",
)  # fmt: skip


def rows_of(runs: Iterable[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for run in runs:
        counts = run["counts"]
        videos = [
            str(counts[name])
            for name in ("orders", "videos", "delivered", "refunded", "cancelled", "waiting")
        ]
        kills = sum(count for name, count in run["broken"].items() if name.startswith("kill -9:"))
        yield (
            str(run["seed"]),
            f"{run['minutes']:g}",
            run["commit"],
            *videos,
            str(kills),
            f"{sum(run['faults'].values())} of {counts.get('calls outside', 0)}",
            f"{counts.get('lost answers adopted', 0)} / {counts.get('lost answers counted', 0)}",
            f"{run['calm_seconds']:.0f}" if not run["unrest"] else "never",
            _slowest(run, "bot"),
            _slowest(run, "worker"),
            str(len(run["violations"])),
        )


def markdown(runs: Sequence[dict[str, Any]]) -> str:
    lines = [_COLUMNS, tuple("---" for _ in _COLUMNS), *rows_of(runs)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{table}\n\nMachine: {', '.join(sorted({run['machine'] for run in runs}))}."


def _slowest(run: dict[str, Any], name: str) -> str:
    seconds = run["recoveries"].get(name)
    return f"{max(seconds):.1f}" if seconds else "–"


def main(paths: Sequence[str]) -> int:
    runs = [json.loads(line) for path in paths for line in Path(path).read_text().splitlines() if line]
    sys.stdout.write(markdown(runs) + "\n")
    return 0 if all(not run["violations"] and not run["unrest"] for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
