"""What `docker build` would take from this folder, by .dockerignore; the Dockerfile copies all of it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from tests.run.compose_file import ROOT

_WILDCARDS: Final = {"**/": "(?:.*/)?", "*": "[^/]*"}


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: re.Pattern[str]
    first: re.Pattern[str]
    keeps: bool

    def covers(self, path: PurePosixPath) -> bool:
        """It, or a folder that it is in."""
        return any(self.pattern.fullmatch(str(each)) for each in (path, *path.parents))


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*)", pattern)
    return re.compile("".join(_WILDCARDS.get(part) or re.escape(part) for part in parts))


def rules(text: str) -> list[Rule]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    patterns = [(line.removeprefix("!"), line.startswith("!")) for line in lines]
    return [Rule(_compiled(each), _compiled(each.partition("/")[0]), keeps) for each, keeps in patterns]


def is_kept(path: PurePosixPath, all_rules: Sequence[Rule]) -> bool:
    """The last rule that covers it decides."""
    deciding = [rule.keeps for rule in all_rules if rule.covers(path)]
    return deciding[-1] if deciding else True


def image_files(root: Path = ROOT) -> Iterator[PurePosixPath]:
    all_rules = rules((root / ".dockerignore").read_text())
    for top in root.iterdir():
        if any(rule.keeps and rule.first.fullmatch(top.name) for rule in all_rules):
            for path in [top] if top.is_file() else top.rglob("*"):
                relative = PurePosixPath(path.relative_to(root))
                if path.is_file() and is_kept(relative, all_rules):
                    yield relative
