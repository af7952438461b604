"""docker-compose.yml as Compose reads it: merged, and with the variables of an operator's `.env`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
COMPOSE_FILE: Final = ROOT / "docker-compose.yml"
OVERLAYS: Final = sorted((ROOT / "deploy" / "compose").glob("*.yml"))
COMPOSE: Final[dict[str, Any]] = yaml.safe_load(COMPOSE_FILE.read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = {
    name: service for name, service in SERVICES.items() if service["image"].startswith("neurocards")
}
WORKERS: Final = {name: service for name, service in OURS.items() if "worker_main.py" in service["command"]}
A_FEW_TIMES: Final = "on-failure:5"  # without a number a job that fails never ends, and `up` waits for it
ONCE: Final = {name for name, service in SERVICES.items() if service["restart"] in {A_FEW_TIMES, "no"}}
"""They end; nobody asks whether they are well."""

_VARIABLE: Final = re.compile(r"(?<!\$)\$\{([A-Z_]+)(:?[-?])?([^}]*)\}")


def variables(text: str) -> Iterator[tuple[str, str]]:
    """Name and operator of each: `:-` and `-` have a default, `:?` must be set, "" may be missing."""
    for name, operator, _ in _VARIABLE.findall(text):
        yield name, operator


def interpolated(value: str, given: Mapping[str, str]) -> str:
    def of(match: re.Match[str]) -> str:
        set_to = given.get(match[1])
        missing = set_to is None if match[2] == "-" else not set_to
        return match[3] if missing and match[2] in {"-", ":-"} else set_to or ""

    return _VARIABLE.sub(of, value).replace("$$", "$")


def environment_of(name: str, given: Mapping[str, str]) -> dict[str, str]:
    """What the container gets; a name without a value is passed on where it is set."""
    written: dict[str, str | None] = SERVICES[name].get("environment", {})
    resolved = {
        key: given.get(key) if value is None else interpolated(value, given) for key, value in written.items()
    }
    return {key: value for key, value in resolved.items() if value is not None}


def command_of(name: str) -> list[str]:
    """Of ours: as the program is started, without the entry point."""
    service = OURS[name]
    before = [word for word in service.get("entrypoint", []) if not word.endswith("entrypoint.sh")]
    return [*before, *service["command"]]
