"""`make run`: one sentence when it cannot start, and nothing left when it ends."""

import asyncio
import json
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import fields
from pathlib import Path

import httpx
import psutil
import pytest
import pytest_asyncio
from dotenv import dotenv_values

from local.folder import DataFolder
from local.postgres import PostgresServer
from local.processes import LOCALHOST, beside_python
from local.programs import ROOT
from local.stack import Ports, PortTaken
from tests.run.programs import (
    START_SECONDS_MAX,
    all_gone,
    descendants,
    ended,
    line_with,
    started,
    surroundings,
)
from tests.stories.player import draw_product
from tests.stories.seller import Seller, soon

pytestmark = pytest.mark.timeout(600)  # a whole system is started, twice in some tests

HTTP_SECONDS_MAX = 30.0
FREE_PORTS = {
    f"{name}_PORT": "0" for name in ("CHAT", "WEB", "TEMPORAL", "TEMPORAL_UI", "POSTGRES", "KIE", "OPENAI")
}
# With a key of one's own the real OpenAI is used: one stand-in fewer to start.
SETTINGS = {**FREE_PORTS, "OPENAI_API_KEY": "sk-made-up", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
READY = "Ctrl-C stops"
ASIDE = f"""set -a; . "$DATA/env"; set +a
{sys.executable} admin_main.py user "$TG_USER"
{beside_python("temporal")} operator cluster health"""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((LOCALHOST, 0)) as listener:
        yield listener.getsockname()[1]


@asynccontextmanager
async def run(data: Path, settings: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await started("local_main.py", "--data", str(data), settings=settings)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    async with run(tmp_path, SETTINGS) as process:
        await line_with(process.stdout, READY)
        yield process


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
    assert await all_gone(children, within_seconds=10)
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
    assert await all_gone(children, within_seconds=20)


async def test_a_killed_worker_is_started_again(running: asyncio.subprocess.Process) -> None:
    started_with("worker_main.py", descendants(running.pid)).kill()
    assert "worker ended with -9" in await line_with(running.stdout, "starts again")
    running.send_signal(signal.SIGINT)
    assert await running.wait() == 0


async def test_without_a_server_it_ends_and_says_which(running: asyncio.subprocess.Process) -> None:
    children = descendants(running.pid)
    started_with("start-dev", children).kill()
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
    left = [child for child in children if psutil.pid_exists(child.pid)]
    assert await all_gone(left, within_seconds=90)


async def test_its_settings_are_a_file_for_commands_beside_it(
    running: asyncio.subprocess.Process, tmp_path: Path
) -> None:
    path = tmp_path / "env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    beside = {"ENV_FILE": str(path)}
    found = json.loads((await ended("admin_main.py", "doctor", "--json", settings=beside)).out)["findings"]
    levels = {each["what"]: each["level"] for each in found}
    assert {levels[what] for what in ("PostgreSQL", "schema", "Temporal", "Telegram", "MEDIA_URL")} == {"ok"}
    assert (await ended("admin_main.py", "setup", settings=beside)).code == 0
    async with chat_of(tmp_path) as chat:
        seller = await Seller.join(chat, "Anna")
        await seller.start()
    granted = await ended("admin_main.py", "grant", "--yes", str(seller.id), "4", "a gift", settings=beside)
    assert granted.code == 0
    said = await in_a_shell(ASIDE, DATA=str(tmp_path), TG_USER=str(seller.id))
    assert "a gift" in said
    assert "SERVING" in said
    running.send_signal(signal.SIGINT)
    assert await running.wait() == 0


async def test_what_kie_has_in_the_making_outlives_a_restart(tmp_path: Path) -> None:
    data, settings = tmp_path / "data", {**FREE_PORTS, "TIME_SCALE": "0.3"}
    async with run(data, settings) as first:
        check_banner(await said_until_ready(first), read(data))
        async with chat_of(data) as chat, kie_of(data) as kie:
            seller = await Seller.join(chat, "Anna")
            await seller.start()
            await kie.post("/control/hold", json={})
            await seller.buy(draw_product(tmp_path / "product.jpg"), "a vase turns")
            await soon(lambda: tasks_of(kie), "a task at KIE")
        first.send_signal(signal.SIGINT)
        assert await first.wait() == 0
    async with run(data, settings) as second:
        await said_until_ready(second)
        async with chat_of(data) as chat, kie_of(data) as kie:
            await kie.post("/control/release", json={})
            await Seller(chat, seller.id, "Anna").wait_for_videos(1)
            assert len(await tasks_of(kie)) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [("file", "File exists"), ("file/below", "Not a directory"), ("/proc/x", "No such file or directory")],
)
async def test_a_folder_that_cannot_be_is_one_sentence_and_2(data: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    end = await ended("local_main.py", "--data", str(tmp_path / data), settings=SETTINGS)
    assert end.code == 2
    assert (
        end.err == f"{tmp_path / data} cannot hold the data: {reason}; choose another: --data /some/folder\n"
    )


async def test_a_full_disk_is_one_sentence_and_1(tmp_path: Path) -> None:
    (tmp_path / "processes.json.new").symlink_to("/dev/full")
    end = await ended("local_main.py", "--data", str(tmp_path), settings=SETTINGS)
    assert end.code == 1
    assert end.err == f"{tmp_path}: No space left on device\n"


async def test_data_without_its_password_is_one_sentence_and_2(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "postgres" / "data" / "PG_VERSION").write_text("18\n")
    end = await ended("local_main.py", "--data", str(tmp_path), settings=SETTINGS)
    assert end.code == 2
    assert end.err.startswith(f"{tmp_path}/postgres/password is missing or empty")
    assert len(end.err.splitlines()) == 1


async def test_what_was_left_half_made_is_made_anew(tmp_path: Path) -> None:
    """An initdb that was interrupted, and a list of processes that a full disk left empty."""
    (tmp_path / "processes.json").touch()
    (tmp_path / "postgres" / "data.new" / "base").mkdir(parents=True)
    (tmp_path / "postgres" / "data.new" / "PG_VERSION").write_text("18\n")
    DataFolder(tmp_path).take()
    server = PostgresServer(tmp_path / "postgres", durable=False)
    await server.start()
    assert await server.execute("select 1")
    await server.stop()


def started_with(word: str, processes: list[psutil.Process]) -> psutil.Process:
    """Others may end while they are looked at."""
    for process in processes:
        with suppress(psutil.Error):
            if word in process.cmdline():
                return process
    raise LookupError(f"no process was started with {word}")


def read(data: Path) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(data / "env").items()}


def chat_of(data: Path) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=read(data)["TELEGRAM_API_BASE"], timeout=HTTP_SECONDS_MAX)


def kie_of(data: Path) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=read(data)["KIE_API_BASE"], timeout=HTTP_SECONDS_MAX)


async def said_until_ready(process: asyncio.subprocess.Process) -> str:
    lines = [""]
    while READY not in lines[-1]:
        lines.append(await line_with(process.stdout, ""))
    return "".join(lines)


def check_banner(said: str, settings: Mapping[str, str]) -> None:
    """Every address, no password."""
    login, _, server = settings["DATABASE_URL"].partition("@")
    kie, openai = settings["KIE_API_BASE"], settings["OPENAI_BASE_URL"].removesuffix("/v1")
    for address in (server.partition("/")[0], settings["TEMPORAL_ADDRESS"], kie, openai):
        assert address in said
    assert login.rpartition(":")[2] not in said


async def tasks_of(kie: httpx.AsyncClient) -> list[object]:
    tasks: list[object] = (await kie.get("/control/tasks")).json()["tasks"]
    return tasks


async def in_a_shell(commands: str, **variables: str) -> str:
    """With nothing but what the commands set; the program's own `.env` is not for tests."""
    shell = await asyncio.create_subprocess_exec(
        *("sh", "-euc", commands),
        cwd=ROOT,
        env=surroundings(variables),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(shell.communicate(), START_SECONDS_MAX)
    assert shell.returncode == 0, out
    return out.decode()
