"""The compose file by our own rules: who serves is watched, limited, pinned, and knows only his secrets."""

import os
import re
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from activities.contracts import TaskQueue
from settings import Settings
from tests.run.compose_file import (
    A_FEW_TIMES,
    COMPOSE,
    COMPOSE_FILE,
    ONCE,
    OURS,
    OVERLAYS,
    ROOT,
    SERVICES,
    WORKERS,
    environment_of,
    interpolated,
    variables,
)
from worker_roles import NEED_BOT_TOKEN, NEED_KIE_KEY, NEED_MEDIA

pytestmark = pytest.mark.unit

EVERY = pytest.mark.parametrize("name", SERVICES)
SECRET_FIELDS = {name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
GIVES_A_VOLUME_AWAY = "s3-volume"  # for a moment, and to nobody but the storage
ASKS_FOR_A_PORT = "caddy"
HOST = "/"  # what the node exporter measures
KIE_KEYS = {"kie_api_key", *(f"kie_api_key_{number}" for number in range(1, 11))}
MAKES_DATABASES = {
    "postgres_password",
    "owner_password",
    "program_password",
    "temporal_password",
    "monitor_password",
    "backup_password",
}


@EVERY
def test_an_image_is_pinned_or_ours(name: str) -> None:
    image = SERVICES[name]["image"]
    if name in OURS:
        assert re.fullmatch(r"neurocards(-backup)?:\$\{NEUROCARDS_VERSION:-latest\}", image)
    else:
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", image), "a version that does not move"


def test_an_image_of_ours_is_built_once() -> None:
    """Ten services that build the same are ten builds of it, and the last one wins."""
    built = {name: service["build"] for name, service in SERVICES.items() if "build" in service}
    assert {name: build["target"] for name, build in built.items()} == {"migrate": "app", "backup": "backup"}
    assert {SERVICES[name]["image"] for name in built} == {service["image"] for service in OURS.values()}


def test_the_backup_waits_for_its_table_and_not_for_temporal() -> None:
    assert set(SERVICES["backup"]["depends_on"]) == {"migrate"}
    assert set(SERVICES["migrate"]["depends_on"]) == {"postgres"}


@pytest.mark.parametrize(
    ("token", "endpoint", "asks"),
    [
        ("a-token", "http://bot:8088/codec", "http://bot:8088/codec Bearer a-token"),
        ("a-token", "", "none none"),
        ("", "http://bot:8088/codec", "none none"),
    ],
)
def test_temporals_commands_ask_the_bot_what_is_encrypted(
    tmp_path: Path, token: str, endpoint: str, asks: str
) -> None:
    """Its entry point, with a program in the place of `temporal` that tells how it was called."""
    shell, option, script, name = SERVICES["temporal-cli"]["entrypoint"]
    (tmp_path / "codec_token").write_text(token)
    (tmp_path / "temporal").write_text(
        '#!/bin/sh\necho "${TEMPORAL_CODEC_ENDPOINT-none} ${TEMPORAL_CODEC_AUTH-none} $#:$*"'
    )
    (tmp_path / "temporal").chmod(0o755)
    here = interpolated(script, {}).replace("/run/secrets", str(tmp_path))
    told = subprocess.run(  # noqa: S603 - our own script
        [shell, option, here, name, "workflow", "list", "-q", "A = 'b c'"],
        env={
            **environment_of("temporal-cli", {}),
            "TEMPORAL_CODEC_ENDPOINT": endpoint,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    ).stdout
    assert told == f"{asks} 4:workflow list -q A = 'b c'\n"


def test_temporal_and_its_tools_are_one_version_and_the_backup_has_the_programs_of_its_server() -> None:
    temporal = [SERVICES[name]["image"] for name in SERVICES if name.startswith("temporal")]
    temporal.remove(SERVICES["temporal-ui"]["image"])
    assert len({image.partition(":")[2] for image in temporal}) == 1
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    assert f"FROM {SERVICES['postgres']['image']} AS backup" in dockerfile


@EVERY
def test_a_service_is_watched_and_limited(name: str) -> None:
    service = SERVICES[name]
    check = service["healthcheck"]
    assert (
        check == {"disable": True}
        if name in ONCE
        else {"test", "interval", "timeout", "retries"} <= set(check)
    )
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["pids_limit"] > 0
    assert {"max-size", "max-file"} <= set(service["logging"]["options"])


@EVERY
def test_a_service_has_no_privilege(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    allowed = {GIVES_A_VOLUME_AWAY: ["CHOWN"], ASKS_FOR_A_PORT: ["NET_BIND_SERVICE"]}
    assert service.get("cap_add", []) == allowed.get(name, [])
    user = int(service["user"].partition(":")[0])
    assert (user == 0) == (name == GIVES_A_VOLUME_AWAY)
    assert not {"privileged", "pid", "ipc", "network_mode", "devices"} & set(service)


@EVERY
def test_a_service_can_be_scaled(name: str) -> None:
    assert "container_name" not in SERVICES[name]
    assert name not in WORKERS or "ports" not in SERVICES[name]


@pytest.mark.parametrize("path", [COMPOSE_FILE, *OVERLAYS], ids=lambda path: path.name)
def test_what_is_published_stays_at_its_port(path: Path) -> None:
    """Of a range Docker takes the next port for each new container: none is written here."""
    services = yaml.safe_load(path.read_text())["services"]
    for name, service in services.items():
        for port in service.get("ports", []):
            published = interpolated(port, {"PRIVATE_ADDRESS": "10.0.0.1"})
            assert re.fullmatch(r"([0-9.]+:)?\d+:\d+", published), name


def test_only_caddy_is_open_to_the_world() -> None:
    for name, service in SERVICES.items():
        addresses = {port.rpartition(":")[0] for port in service.get("ports", [])}
        if name != "caddy":
            assert all(address.startswith("127.0.0.1:") for address in addresses), name
    assert set(SERVICES["caddy"]["networks"]) == {"front"}
    assert {name for name, service in SERVICES.items() if "front" in service.get("networks", [])} == {
        "caddy",
        "bot",
    }


@EVERY
def test_whoever_is_waited_for_exists_and_can_be_waited_for(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
        if how["condition"] == "service_completed_successfully":
            assert SERVICES[other]["restart"] == A_FEW_TIMES
        profiles = SERVICES[other].get("profiles", [])
        assert not profiles or profiles == SERVICES[name]["profiles"], "it is not started"


def test_storage_of_ones_own_has_media_and_no_place_for_backups() -> None:
    """They would lie on the disk of the database."""
    (command,) = SERVICES["s3-volume"]["command"]
    assert "/data/media" in command
    assert "backup" not in command
    assert interpolated(COMPOSE["x-settings"]["BACKUP_URL"], {}) == "file:///backups"


@EVERY
def test_what_is_mounted_exists(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, _, rest = volume.partition(":")
        if source.startswith("./"):
            assert (ROOT / source).is_dir()
            assert rest.endswith(":ro")
        elif source != HOST:
            assert source in COMPOSE["volumes"]


def test_every_volume_and_secret_is_used() -> None:
    volumes = {volume.partition(":")[0] for each in SERVICES.values() for volume in each.get("volumes", [])}
    assert set(COMPOSE["volumes"]) <= volumes
    secrets = set(chain.from_iterable(service.get("secrets", []) for service in SERVICES.values()))
    assert secrets == set(COMPOSE["secrets"])
    assert all(secret == {"file": f"./secrets/{name}"} for name, secret in COMPOSE["secrets"].items())


@EVERY
def test_what_a_service_reads_as_a_file_is_handed_to_it(name: str) -> None:
    text = yaml.safe_dump(SERVICES[name])
    read = set(re.findall(r"/run/secrets/(\w+)", text))
    if name in OURS:
        values = environment_of(name, {}).values()
        read = {value.removeprefix("/run/secrets/") for value in values if value.startswith("/run/secrets/")}
        read -= set() if "s3_access_key" in SERVICES[name]["secrets"] else {"s3_access_key", "s3_secret_key"}
        assert set(SERVICES[name]["secrets"]) == read
    assert read <= set(SERVICES[name].get("secrets", []))


@pytest.mark.parametrize("name", OURS)
def test_no_secret_is_in_the_environment(name: str) -> None:
    """Also not where an operator wrote one into `.env`."""
    given = {field.upper(): "a secret" for field in SECRET_FIELDS} | {
        "KIE_API_KEY": "s",
        "KIE_API_KEY_1": "s",
    }
    environment = environment_of(name, given)
    assert not {key for key in environment if key.lower() in SECRET_FIELDS or key in given}


@pytest.mark.parametrize("name", OURS)
def test_a_container_knows_every_setting_that_is_no_secret_and_no_other(name: str) -> None:
    fixed = {"READY_FILE", "BACKUP_FOLDER"}
    known = {key for key in SERVICES[name]["environment"] if not key.endswith("_FILE") or key == "READY_FILE"}
    settings = {field.upper() for field in set(Settings.model_fields) - SECRET_FIELDS}
    of_s3 = {"AWS_REGION", "AWS_ENDPOINT_URL"}
    accounts = {key for key in known if key.startswith("KIE_API_KEY")}
    assert settings - fixed <= known
    assert known - fixed - of_s3 - accounts <= settings
    files = {key for key in SERVICES[name]["environment"] if key.endswith("_FILE")} - {"READY_FILE"}
    secrets = {key.removesuffix("_FILE").lower() for key in files}
    assert secrets - {"aws_access_key_id", "aws_secret_access_key"} - KIE_KEYS <= SECRET_FIELDS


@pytest.mark.parametrize("role", TaskQueue)
def test_a_role_has_the_secrets_it_needs_and_no_others(role: TaskQueue) -> None:
    needed = {"database_url", "temporal_payload_key"}
    if role in NEED_BOT_TOKEN:
        needed |= {"bot_token"}
    if role in NEED_KIE_KEY:
        needed |= KIE_KEYS | {"kie_webhook_secret"}
    if role in NEED_MEDIA:
        needed |= {"s3_access_key", "s3_secret_key"}
    if role is TaskQueue.PROMPTS:
        needed |= {"openai_api_key"}
    assert set(WORKERS[f"worker-{role.value}"]["secrets"]) == needed


def holders_of(secret: str) -> set[str]:
    return {name for name, service in SERVICES.items() if secret in service.get("secrets", [])}


def test_only_who_migrates_may_change_tables() -> None:
    owners = {
        name for name, service in SERVICES.items() if "database_owner_url" in service.get("secrets", [])
    }
    assert owners == {"migrate", "setup", "restore"}
    makers = {name for name, service in SERVICES.items() if "postgres_password" in service.get("secrets", [])}
    assert makers == {"postgres"}
    assert set(SERVICES["postgres"]["secrets"]) == MAKES_DATABASES


@pytest.mark.parametrize("path", [COMPOSE_FILE, *OVERLAYS], ids=lambda path: path.name)
def test_every_variable_has_a_default_or_is_in_the_example(path: Any) -> None:
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", example, flags=re.MULTILINE))
    used = list(variables(path.read_text()))
    assert used
    assert {name for name, _ in used} <= named
    assert all(operator in {":-", "-", ":?"} for _, operator in used)


def test_the_example_as_it_is_gives_containers_what_they_get_without_it() -> None:
    example = {
        name: value for name, value in dotenv_values(ROOT / ".env.example").items() if value is not None
    }
    for name in OURS:
        without, with_example = environment_of(name, {}), environment_of(name, example)
        assert {key: with_example[key] for key in without} == without


def test_what_is_passed_on_is_named_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    passed = {key for key, value in COMPOSE["x-settings"].items() if value is None}
    assert all(re.search(rf"^(# )?{key}=", example, flags=re.MULTILINE) for key in passed)
