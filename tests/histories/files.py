"""One history per file, in Temporal's own JSON, without anything that tells of the machine it ran on."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from temporalio.client import WorkflowHistory

FOLDER: Final = Path(__file__).parent
ROOT: Final = FOLDER.parents[1]
BYTES_MAX: Final = 200_000
_NEUTRAL: Final = "worker@host"
_ONLY_FOR_PEOPLE: Final = frozenset({"stackTrace"})


class NotForTheRepository(Exception):
    """A history that says more than it should."""


def paths() -> list[Path]:
    return sorted(FOLDER.glob("*.json"))


def load(path: Path) -> WorkflowHistory:
    history = json.loads(path.read_text())
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], history)


def save(name: str, history: WorkflowHistory, secrets: Sequence[str]) -> Path:
    """Raise NotForTheRepository rather than write a secret or a path."""
    told = json.loads(history.to_json())
    text = json.dumps(_without(told, _identities(told)), indent=1, ensure_ascii=False)
    refuse_private(text, secrets)
    path = FOLDER / f"{name}.json"
    path.write_text(text + "\n")
    return path


def refuse_private(text: str, secrets: Sequence[str]) -> None:
    readable = "\n".join([text, *payloads_in(json.loads(text))])
    found = [word for word in (str(ROOT), str(Path.home()), *secrets) if word in readable]
    if found or len(text) > BYTES_MAX:
        raise NotForTheRepository(f"{len(text)} bytes, holds {len(found)} words it must not")


def payloads_in(part: Any) -> Iterator[str]:
    """Every payload as it reads when decoded."""
    if isinstance(part, Mapping):
        if isinstance(part.get("data"), str) and "metadata" in part:
            yield base64.b64decode(part["data"]).decode(errors="replace")
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from payloads_in(each)


def _identities(part: Any) -> set[str]:
    """Worker identities are `<pid>@<host>`; names of sticky queues begin with them."""
    if isinstance(part, Mapping):
        own = {part["identity"]} if part.get("identity") else set()
        return own.union(*(_identities(each) for each in part.values()))
    if isinstance(part, list):
        return set().union(*(_identities(each) for each in part))
    return set()


def _without(part: Any, identities: set[str]) -> Any:
    if isinstance(part, Mapping):
        kept = {key: each for key, each in part.items() if key not in _ONLY_FOR_PEOPLE}
        return {key: _without(each, identities) for key, each in kept.items()}
    if isinstance(part, list):
        return [_without(each, identities) for each in part]
    if isinstance(part, str):
        return _neutral(part, identities)
    return part


def _neutral(text: str, identities: set[str]) -> str:
    for identity in identities:
        text = text.replace(identity, _NEUTRAL)
    return text
