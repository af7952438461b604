"""The files of deploy/ as the programs that will read them read them."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.run.compose_file import COMPOSE_FILE, ONCE, OURS, OVERLAYS, ROOT, SERVICES, WORKERS
from tests.run.programs import surroundings
from tests.tools import tool

SECONDS_MAX: Final = 60
DEPLOY: Final = ROOT / "deploy"
PROMETHEUS: Final = DEPLOY / "prometheus" / "prometheus.yml"


def said(*words: str | Path, cwd: Path = ROOT, settings: Sequence[str] = ()) -> str:
    """Fails with what the program said."""
    told = subprocess.run(  # noqa: S603 - installed programs, our own files
        words,
        cwd=cwd,
        env=surroundings(dict(each.split("=", 1) for each in settings)),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert told.returncode == 0, told.stderr or told.stdout
    return told.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As an operator has it after `cp .env.example .env` and `deploy/make_secrets.sh`."""
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    shutil.copy(COMPOSE_FILE, tmp_path)
    shutil.copytree(DEPLOY / "compose", tmp_path / "deploy" / "compose")
    said("sh", DEPLOY / "make_secrets.sh", tmp_path / "secrets")
    return tmp_path


def composed(folder: Path, *words: str, settings: Sequence[str] = ()) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(
        said(tool("docker-compose"), *words, "config", cwd=folder, settings=settings)
    )
    return read


def test_compose_understands_it(folder: Path) -> None:
    profiles = sorted({each for service in SERVICES.values() for each in service.get("profiles", [])})
    read = composed(folder, *(f"--profile={each}" for each in profiles))
    assert set(read["services"]) == set(SERVICES)
    assert read["services"]["worker-kie"]["environment"]["DATABASE_URL_FILE"] == "/run/secrets/database_url"


def test_a_password_written_into_env_by_habit_reaches_nobody(folder: Path) -> None:
    with (folder / ".env").open("a") as file:
        file.write("BOT_TOKEN=123456:by-habit\nDATABASE_URL=postgresql://by-habit@there/db\n")
    assert "by-habit" not in json.dumps(composed(folder))


def test_what_is_in_env_reaches_every_program_of_ours(folder: Path) -> None:
    with (folder / ".env").open("a") as file:
        file.write("SUPPORT_CONTACT=@shop\nMEDIA_URL=s3://media\nAWS_ENDPOINT_URL=http://s3:7070\n")
    services = composed(folder)["services"]
    for name in ("bot", *WORKERS):
        environment = services[name]["environment"]
        assert environment["SUPPORT_CONTACT"] == "@shop"
        assert environment["MEDIA_URL"] == "s3://media"
        assert environment["AWS_ENDPOINT_URL"] == "http://s3:7070"


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_several_machines_share_one_private_address(folder: Path, overlay: Path) -> None:
    files = ("-f", "docker-compose.yml", "-f", f"deploy/compose/{overlay.name}")
    read = composed(folder, *files, "--profile=s3", settings=["PRIVATE_ADDRESS=10.0.0.1"])
    inside = [service for name, service in read["services"].items() if name != "caddy"]
    published = [port for service in inside for port in service.get("ports", [])]
    private = [port for port in published if not port.startswith("127.0.0.1:")]
    assert private
    assert all(port.startswith("10.0.0.1:") for port in private)


def test_what_env_says_of_the_machine_holds_without_options(folder: Path) -> None:
    """So that a plain `docker compose up -d` takes no port away."""
    with (folder / ".env").open("a") as file:
        file.write("COMPOSE_FILE=docker-compose.yml:deploy/compose/servers.yml\nPRIVATE_ADDRESS=10.0.0.1\n")
    assert "10.0.0.1" in json.dumps(composed(folder)["services"]["postgres"]["ports"])


def test_the_ports_of_other_machines_do_not_meet(folder: Path) -> None:
    """Each role has its own, and room for nine more of it."""
    files = ("-f", "docker-compose.yml", "-f", "deploy/compose/workers.yml")
    services = composed(folder, *files, settings=["PRIVATE_ADDRESS=10.0.0.2"])["services"]
    ports = sorted(services[name]["ports"][0] for name in WORKERS)
    assert ports == [f"10.0.0.2:{port}:9464/tcp" for port in range(9500, 9560, 10)]


def test_several_of_a_role_have_the_ports_that_env_says(folder: Path) -> None:
    with (folder / ".env").open("a") as file:
        file.write("BOT_PORTS=8088-8089\nMETRICS_PORTS_KIE_CREATE=9530-9531\nPRIVATE_ADDRESS=10.0.0.2\n")
    services = composed(folder, "-f", "docker-compose.yml", "-f", "deploy/compose/workers.yml")["services"]
    assert services["bot"]["ports"] == ["127.0.0.1:8088-8089:8088/tcp"]
    assert services["worker-kie-create"]["ports"] == ["10.0.0.2:9530-9531:9464/tcp"]


def test_prometheus_understands_its_configuration_and_the_rules() -> None:
    told = said(tool("promtool"), "check", "config", PROMETHEUS)
    assert "rules found" in told


def test_prometheus_looks_for_whatever_shows_metrics() -> None:
    jobs = {job["job_name"]: job for job in yaml.safe_load(PROMETHEUS.read_text())["scrape_configs"]}
    found = {name: jobs[name]["dns_sd_configs"][0] for name in ("bot", "worker", "backup")}
    names = {each for discovery in found.values() for each in discovery["names"]}
    assert names == {name for name, service in OURS.items() if name not in ONCE}
    ports = {discovery["port"] for discovery in found.values()}
    assert ports == {int(service["environment"]["METRICS_PORT"]) for service in WORKERS.values()}
    fixed = [
        target
        for job in jobs.values()
        for each in job.get("static_configs", [])
        for target in each["targets"]
    ]
    assert {target.partition(":")[0] for target in fixed} - {"localhost"} <= set(SERVICES)
    assert (
        f"0.0.0.0:{fixed[0].partition(':')[2]}" == SERVICES["temporal"]["environment"]["PROMETHEUS_ENDPOINT"]
    )


@pytest.mark.parametrize("name", ["datasources/prometheus.yml", "dashboards/neurocards.yml"])
def test_grafana_is_provisioned_from_what_is_mounted(name: str) -> None:
    read = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / name).read_text())
    assert read["apiVersion"] == 1
    if "providers" in read:
        mounts = {volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]}
        assert read["providers"][0]["options"]["path"] in mounts
    else:
        host, port = read["datasources"][0]["url"].removeprefix("http://").split(":")
        assert host in SERVICES
        assert SERVICES[host]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_temporal_is_fair_within_one_partition() -> None:
    read = yaml.safe_load((DEPLOY / "temporal" / "neurocards.yaml").read_text())
    values = {key: each[0]["value"] for key, each in read.items()}
    assert values["matching.enableFairness"] is True
    assert (
        values["matching.numTaskqueueReadPartitions"] == values["matching.numTaskqueueWritePartitions"] == 1
    )
    folder = SERVICES["temporal"]["volumes"][0].split(":")[1]
    assert SERVICES["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"] == f"{folder}/neurocards.yaml"
