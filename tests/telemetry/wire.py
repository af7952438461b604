"""The page that Prometheus reads, as samples."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

_LINE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

EVERYWHERE = frozenset({"service_name", "app", "role"})
"""On every line: the SDK's, and ours of the whole process."""


@dataclass(frozen=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: float


async def read(url: str | None) -> list[Sample]:
    assert url is not None
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        return list(samples((await http.get(url)).raise_for_status().text))


def samples(page: str) -> Iterable[Sample]:
    for line in page.splitlines():
        found = _LINE.fullmatch(line)
        if found is not None and not line.startswith("#"):
            name, labels, value = found.groups()
            yield Sample(name, dict(_LABEL.findall(labels or "")), float(value))


def total(of: Iterable[Sample], name: str, **labels: str) -> float:
    """Of all processes, and of whatever else is not said here."""
    fitting = [each.value for each in of if each.name == name and labels.items() <= each.labels.items()]
    return sum(fitting)
