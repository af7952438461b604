"""`make run`: one sentence when it cannot start, and nothing left when it ends."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from local.processes import LOCALHOST
from local.stack import Ports, PortTaken
from tests.run.programs import all_gone, descendants, ended, line_with, started

FREE_PORTS = {
    f"{name}_PORT": "0" for name in ("CHAT", "WEB", "TEMPORAL", "TEMPORAL_UI", "POSTGRES", "KIE", "OPENAI")
}
# With a key of one's own the real OpenAI is used: one stand-in fewer to start.
SETTINGS = {**FREE_PORTS, "OPENAI_API_KEY": "sk-made-up", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
READY = "Ctrl-C stops"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((LOCALHOST, 0)) as listener:
        yield listener.getsockname()[1]


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await started("local_main.py", "--data", str(tmp_path), settings=SETTINGS)
    await line_with(process.stdout, READY)
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("port_field", [each.name for each in fields(Ports)])
def test_every_port_has_its_sentence(port_field: str, taken_port: int) -> None:
    with pytest.raises(
        PortTaken, match=rf"^port {taken_port} \(.+\) is taken; free it, or .*: [A-Z_]+_PORT="
    ):
        Ports(**{port_field: taken_port}).check()


def test_one_port_for_two_has_its_sentence() -> None:
    with pytest.raises(PortTaken, match=r"^CHAT_PORT and KIE_PORT are both 9; choose another: KIE_PORT=109$"):
        Ports(chat=9, kie=9).check()


async def test_a_taken_port_is_one_sentence_and_2(taken_port: int, tmp_path: Path) -> None:
    settings = {**SETTINGS, "CHAT_PORT": str(taken_port)}
    end = await ended("local_main.py", "--data", str(tmp_path), settings=settings)
    assert end.code == 2
    assert end.err.startswith(
        f"port {taken_port} (chat page) is taken; free it, or choose another: CHAT_PORT="
    )
    assert len(end.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("TIME_SCALE", "9"), ("WEB_PORT", "abc"), ("KIE_API_KEY_1", "two words")]
)
async def test_a_wrong_setting_stops_before_anything_starts(name: str, value: str, tmp_path: Path) -> None:
    end = await ended("local_main.py", "--data", str(tmp_path / "data"), settings={**SETTINGS, name: value})
    assert end.code == 2
    assert end.err.startswith(f"{name}: ")
    assert len(end.err.splitlines()) == 1
    assert not (tmp_path / "data").exists()


async def test_ctrl_c_ends_all_and_the_data_serves_again(
    running: asyncio.subprocess.Process, tmp_path: Path
) -> None:
    children = descendants(running.pid)
    second = await ended("local_main.py", "--data", str(tmp_path), settings=SETTINGS)
    assert second.code == 2
    assert "already runs on" in second.err
    running.send_signal(signal.SIGINT)
    assert await running.wait() == 0
    assert await all_gone(children, within_seconds=0)
    again = await started("local_main.py", "--data", str(tmp_path), settings=SETTINGS)
    await line_with(again.stdout, READY)
    again.send_signal(signal.SIGTERM)
    assert await again.wait() == 0


async def test_ctrl_c_while_it_starts(tmp_path: Path) -> None:
    process = await started("local_main.py", "--data", str(tmp_path), settings=SETTINGS)
    await line_with(process.stdout, "PostgreSQL")
    children = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    assert await all_gone(children, within_seconds=1)


async def test_a_killed_worker_is_started_again(running: asyncio.subprocess.Process) -> None:
    worker = next(child for child in descendants(running.pid) if "worker_main.py" in child.cmdline())
    worker.kill()
    assert "worker ended with -9" in await line_with(running.stdout, "starts again")
    running.send_signal(signal.SIGINT)
    assert await running.wait() == 0


async def test_without_a_server_it_ends_and_says_which(running: asyncio.subprocess.Process) -> None:
    children = descendants(running.pid)
    next(child for child in children if "start-dev" in child.cmdline()).kill()
    assert "Temporal ended with -9" in await line_with(running.stderr, "Temporal")
    assert await running.wait() == 1
    assert await all_gone(children)


async def test_after_a_kill_nothing_is_left_running(
    running: asyncio.subprocess.Process, tmp_path: Path
) -> None:
    """Linux ends the children itself; elsewhere the next start does."""
    children = descendants(running.pid)
    running.kill()
    await running.wait()
    if sys.platform != "linux":
        again = await started("local_main.py", "--data", str(tmp_path), settings=SETTINGS)
        await line_with(again.stdout, READY)
        again.send_signal(signal.SIGINT)
        await again.wait()
    assert await all_gone([child for child in children if psutil.pid_exists(child.pid)])
