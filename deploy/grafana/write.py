"""`python -m deploy.grafana.write`: the dashboards' JSON, again from their Python."""

from pathlib import Path
from typing import Final

from deploy.grafana.business import BUSINESS
from deploy.grafana.operation import OPERATION
from deploy.grafana.panels import Dashboard
from deploy.grafana.postgres import POSTGRES
from deploy.grafana.temporal import TEMPORAL

FOLDER: Final = Path(__file__).parent / "dashboards"
DASHBOARDS: Final = (BUSINESS, OPERATION, TEMPORAL, POSTGRES)


def path_of(dashboard: Dashboard) -> Path:
    return FOLDER / f"{dashboard.name}.json"


def write_all() -> None:
    for dashboard in DASHBOARDS:
        path_of(dashboard).write_text(dashboard.to_json())


if __name__ == "__main__":
    write_all()
