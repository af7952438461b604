"""How long a newcomer waits after `make install`: `python -m benchmarks.cold_start [starts]`.

`make run` on a copy of the tree that was never run and an empty data folder: from the command to the bot's
answer to the first /start, by which every server, the bot and a stand-in of Telegram are up. Then the same
again on the data of the first start. What the disk has in memory stays there: only root could empty it.
"""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from benchmarks.machine import BusyMeter, Spread, console, facts, table_of
from local.processes import LOCALHOST, free_port
from tests.run.programs import started
from tests.stories.seller import Seller, soon

STARTS: Final = 5
GOAL_SECONDS: Final = 20.0
ROOT: Final = Path(__file__).parent.parent
_PORTS: Final = ("WEB", "TEMPORAL", "TEMPORAL_UI", "POSTGRES", "KIE", "OPENAI")


async def main(starts: int = STARTS) -> None:
    console.print(facts())
    meter = BusyMeter()
    both = [await cold_and_warm(number) for number in range(starts)]
    cold, warm = zip(*both, strict=True)
    console.print(meter.told())
    console.print(
        table_of(
            f"make run, goal {GOAL_SECONDS:.0f} s",
            {"cold → first answer": Spread(cold), "again → first answer": Spread(warm)},
        )
    )


async def cold_and_warm(number: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="nc-cold-") as folder:
        tree = await asyncio.to_thread(never_run, Path(folder) / "tree")
        return await start_to_answer(tree, f"First{number}"), await start_to_answer(tree, f"Next{number}")


def never_run(tree: Path) -> Path:
    """Every file git knows of, and no bytecode."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607 - of PATH
    for name in filter(None, listed.stdout.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tree / name)
    return tree


async def start_to_answer(tree: Path, name: str) -> float:
    begun = time.monotonic()
    async with running(tree) as chat_url, httpx.AsyncClient(base_url=chat_url, trust_env=False) as http:
        await soon(lambda: is_open(http), "that the chat page opens")
        await (await Seller.join(http, name)).start()
        return time.monotonic() - begun


async def is_open(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/")).is_success
    except httpx.TransportError:
        return False


@asynccontextmanager
async def running(tree: Path) -> AsyncIterator[str]:
    """The address of its chat page."""
    chat_port = free_port()
    settings = {f"{name}_PORT": "0" for name in _PORTS} | {"CHAT_PORT": str(chat_port)}
    process = await started(str(tree / "local_main.py"), "--data", str(tree / ".data"), settings=settings)
    try:
        yield f"http://{LOCALHOST}:{chat_port}"
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
