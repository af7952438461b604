"""Opens one photo or movie under limits: started by `clients.confined`, reads an order, answers, and ends."""

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from clients.opened import MovieRefused, PictureRefused
from domain.failures import FailureReason

_OPEN_FILES_MAX: Final = 64

Answer = tuple[dict[str, Any], bytes]


def main() -> int:
    order = json.loads(sys.stdin.buffer.readline())
    confine(order["limits"])
    data = sys.stdin.buffer.read(order["bytes"])
    if len(data) != order["bytes"]:
        return 1  # whoever asked is gone
    told, content = JOBS[order["job"]](order, data)
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + content)
    sys.stdout.buffer.flush()
    return 0


def confine(limits: dict[str, Any]) -> None:
    for what, most in (
        (resource.RLIMIT_AS, limits["memory_bytes_max"]),
        (resource.RLIMIT_FSIZE, limits["written_bytes_max"]),
        (resource.RLIMIT_NOFILE, _OPEN_FILES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    # The first of the two ends it by a signal of its own; the hard one would look like a kill.
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_seconds_max"], limits["cpu_seconds_max"] + 1))


def photo(_order: dict[str, Any], data: bytes) -> Answer:
    from clients.pictures import prepare_photo  # noqa: PLC0415 - each job loads only its own library

    try:
        prepared = prepare_photo(data)
    except PictureRefused as refused:
        return {"refused": refused.reason.value}, b""
    except MemoryError:
        return {"refused": FailureReason.PHOTO_TOO_LARGE.value}, b""
    return {"width": prepared.width, "height": prepared.height}, prepared.jpeg


def movie(order: dict[str, Any], _data: bytes) -> Answer:
    from clients.movies import make_sendable  # noqa: PLC0415 - each job loads only its own library

    try:
        facts = make_sendable(Path(order["path"]), Path(order["out_path"]))
    except MovieRefused as refused:
        return {"refused": refused.why}, b""
    except MemoryError:
        return {"refused": "too much memory"}, b""
    return {"facts": asdict(facts)}, b""


JOBS: Final[dict[str, Callable[[dict[str, Any], bytes], Answer]]] = {"photo": photo, "movie": movie}


if __name__ == "__main__":
    sys.exit(main())
