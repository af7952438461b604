"""What doctor finds: one line per thing that was tried, and what to do where it is wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.addresses import without_login
from environment import WrongSetting

TRY_SECONDS_MAX: Final = 20.0


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """`do` is empty where there is nothing to do."""

    what: str
    level: Level
    said: str
    do: str = ""


Examination = Callable[[], Awaitable[Iterable[Finding]]]


def ok(what: str, said: str) -> Finding:
    return Finding(what, Level.OK, without_login(said))


def warning(what: str, said: str, do: str) -> Finding:
    return Finding(what, Level.WARNING, without_login(said), do)


def wrong(what: str, said: str, do: str) -> Finding:
    return Finding(what, Level.WRONG, without_login(said), do)


async def examine(what: str, examination: Examination) -> list[Finding]:
    """Whatever hangs is a finding, too."""
    try:
        async with asyncio.timeout(TRY_SECONDS_MAX):
            return list(await examination())
    except TimeoutError:
        return [
            wrong(
                what, f"no answer in {TRY_SECONDS_MAX:.0f} s", "is the address right, is a firewall between?"
            )
        ]
    except WrongSetting as setting:
        return [wrong(what, str(setting), "set it otherwise")]
