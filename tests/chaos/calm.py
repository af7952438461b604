"""When it is over: nothing is open, reserved, pending or running any more."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import asyncpg
import httpx
from temporalio.client import Client
from temporalio.service import RPCError

from tests.chaos.outside import Outside

CALM_SECONDS_MAX: Final = 180.0
_LOOK_SECONDS: Final = 1.0
_IN_A_ROW: Final = 2  # one workflow may end just before the next begins

_ROWS: Final = """
    select (select count(*) from orders where state <> 'CLOSED') as "orders not closed",
           (select count(*) from videos where state in ('OPEN', 'DELIVERING')) as "videos open",
           (select coalesce(sum(reserved), 0) from wallets) as "credits reserved"
"""
_RUNNING: Final = "ExecutionStatus = 'Running' AND WorkflowType IN ('VideoOrder', 'Video', 'VideoResend')"
_NOT_THERE: Final = (OSError, TimeoutError, asyncpg.PostgresError, httpx.HTTPError, RPCError, RuntimeError)


@dataclass(frozen=True)
class Calm:
    """`unrest` names what was still moving when patience ended; empty is calm."""

    seconds: float
    unrest: dict[str, int]


async def wait_for_calm(database_url: str, outside: Outside, temporal_address: str) -> Calm:
    started_at = time.monotonic()
    still = 0
    while True:
        unrest = await _unrest(database_url, outside, temporal_address)
        still = 0 if unrest else still + 1
        seconds = time.monotonic() - started_at
        if still == _IN_A_ROW or seconds > CALM_SECONDS_MAX:
            return Calm(seconds, unrest)
        await asyncio.sleep(_LOOK_SECONDS)


async def _unrest(database_url: str, outside: Outside, temporal_address: str) -> dict[str, int]:
    try:
        moving = {
            **await _moving_rows(database_url),
            "updates pending": len((await outside.ask("telegram", "/control/updates"))["pending"]),
            "workflows running": await _running_workflows(temporal_address),
        }
    except _NOT_THERE as away:
        return {f"cannot look: {type(away).__name__}: {away}": 1}
    return {name: count for name, count in moving.items() if count}


async def _moving_rows(database_url: str) -> dict[str, int]:
    connection = await asyncpg.connect(database_url, timeout=5, command_timeout=10)
    try:
        return dict((await connection.fetch(_ROWS))[0])
    finally:
        await connection.close(timeout=5)


async def _running_workflows(address: str) -> int:
    client = await Client.connect(address)
    counted = await client.count_workflows(_RUNNING)
    return counted.count
