"""Lines of a report become a table, and the first thing that went wrong its exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.report import main, markdown
from tests.chaos.tally import Tally, recoveries_of

COUNTS = {
    "orders": 9,
    "videos": 12,
    "delivered": 8,
    "refunded": 3,
    "cancelled": 1,
    "waiting": 0,
    "calls outside": 45,
    "lost answers adopted": 2,
    "lost answers counted": 1,
}


def run(**more: Any) -> dict[str, Any]:
    tally = Tally(
        7,
        3,
        "abc",
        "2 cores",
        counts=COUNTS,
        broken={"kill -9: bot": 2, "kill -9: worker": 3, "freeze: bot": 1},
        faults={"kie: drop_answer": 4, "telegram: delay": 5},
        recoveries=recoveries_of([("bot", 3.26), ("bot", 2.0)]),
        calm_seconds=31.4,
    )
    return {**tally.line(), **more}


def test_a_run_is_a_row() -> None:
    row = markdown([run()]).splitlines()[2]
    assert row == "| 7 | 3 | abc | 9 | 12 | 8 | 3 | 1 | 0 | 5 | 9 of 45 | 2 / 1 | 31 | 3.3 | – | 0 |"


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"unrest": {"videos open": 1}}, "| never |"),
        ({"violations": [{"promise": "I1", "ids": ["1"], "detail": ""}]}, "| 1 |"),
    ],
)
def test_a_run_that_went_wrong_shows_and_fails(more: dict[str, Any], shown: str, tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    path.write_text("\n".join(json.dumps(each) for each in (run(), run(**more))))
    assert main([str(path)]) == 1
    assert shown in markdown([run(**more)]).splitlines()[2]


def test_a_good_series_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    path.write_text(json.dumps(run()) + "\n")
    assert main([str(path)]) == 0
