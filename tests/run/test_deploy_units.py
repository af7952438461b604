"""The systemd units: for those without Docker, the same programs as in the compose file."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from activities.contracts import TaskQueue
from local.programs import STOP_TIMEOUT_SECONDS
from serving import EXIT_WRONG_SETTING
from tests.run.compose_file import ROOT
from worker_main import GRACEFUL_SHUTDOWN
from worker_roles import parse_roles

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
WORKER = ROOT / "deploy" / "systemd" / "neurocards-worker@.service"
ANALYZE = shutil.which("systemd-analyze") or ""
INSTALLED_AT = "/opt/neurocards"
HARDENED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "SystemCallFilter": "@system-service",
}


def values(unit: Path) -> dict[str, str]:
    """The last of each name."""
    return dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), flags=re.MULTILINE))


@pytest.mark.unit
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_program_of_ours_without_privileges(unit: Path) -> None:
    read = values(unit)
    python, program, *_ = read["ExecStart"].split()
    assert python == f"{INSTALLED_AT}/.venv/bin/python"
    assert (ROOT / program).is_file()
    assert read["User"] == "neurocards"
    assert read.items() >= HARDENED.items()
    assert read["RestartPreventExitStatus"] == str(EXIT_WRONG_SETTING)
    assert "MemoryMax" in read
    assert "EnvironmentFile=/etc/neurocards/common.env" in unit.read_text()


@pytest.mark.unit
def test_a_worker_drains_before_it_is_killed() -> None:
    stop_seconds = float(values(WORKER)["TimeoutStopSec"])
    assert GRACEFUL_SHUTDOWN.total_seconds() < STOP_TIMEOUT_SECONDS < stop_seconds


@pytest.mark.unit
def test_the_name_of_an_instance_is_a_role() -> None:
    template = values(WORKER)["ExecStart"].partition("--role ")[2]
    for role in TaskQueue:
        assert parse_roles(template.replace("%i", role.value)) == (role,)
    with pytest.raises(ValueError, match="cooking"):
        parse_roles(template.replace("%i", "cooking"))


@pytest.mark.skipif(not ANALYZE, reason="systemd is not installed")
def test_systemd_understands_them(tmp_path: Path) -> None:
    """Where it is installed, there are the programs; here they are in another place."""
    for unit in UNITS:
        here = unit.read_text().replace(INSTALLED_AT, str(ROOT))
        (tmp_path / unit.name.replace("@", "@media")).write_text(here)
    told = subprocess.run(  # noqa: S603 - an installed program, our own files
        [ANALYZE, "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    complaints = [line for line in told.stderr.splitlines() if "neurocards" in line]
    assert (told.returncode, complaints) == (0, []), told.stderr
