"""What a worker needs, what it refuses, and what it says of itself."""

import asyncio
import resource
import signal
import sys
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest

from domain.clock import utc_now
from local.postgres import PostgresServer
from local.processes import free_port
from local.standins import Service, Standin, made_up_credentials
from local.temporal import TemporalServer, connect
from store.database import Database
from store.services import Outside, Services
from tests.run.programs import ROOT, START_SECONDS_MAX, Ended, ended, line_with, started, surroundings
from tests.stories.seller import soon
from worker_roles import ALL_ROLES

pytestmark = pytest.mark.timeout(600)  # several programs start, one after the other

MADE_UP = made_up_credentials(frozenset(Service), {})
NOWHERE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "TEMPORAL_ADDRESS": "127.0.0.1:9"}
NEEDS = {"BOT_TOKEN": {"media", "telegram"}, "KIE_API_KEY": {"kie", "kie-create", "media"}}
IMPATIENT = {"START_WAIT_SECONDS": "1"}
# For what Temporal says: where it gives no answer in 5 s, it is asked once more.
PATIENT = {"START_WAIT_SECONDS": "60"}  # where what it needs is there
A_BIT_PATIENT = {"START_WAIT_SECONDS": "7"}


async def worker(role: str, settings: dict[str, str]) -> Ended:
    return await ended("worker_main.py", "--role", role, settings={**IMPATIENT, **settings})


def one_sentence(end: Ended) -> str:
    """The last line; nothing of a stack trace before it."""
    assert "Traceback" not in end.err
    return end.err.splitlines()[-1]


@pytest.mark.parametrize("role", ALL_ROLES)
async def test_a_role_asks_for_the_settings_it_needs_and_for_no_others(role: str) -> None:
    needed = [name for name in NEEDS if role in NEEDS[name]]
    bare = await worker(role, NOWHERE)
    if needed:
        assert (bare.code, one_sentence(bare)[: len(needed[0])]) == (2, needed[0])
    complete = await worker(role, {**NOWHERE, **{name: MADE_UP[name] for name in needed}})
    assert complete.code == 1
    assert one_sentence(complete).startswith("cannot start without PostgreSQL at 127.0.0.1:9/none")


@pytest.mark.parametrize("command", ["migrate", "setup"])
async def test_what_prepares_the_servers_does_not_wait_for_ever(command: str) -> None:
    end = await ended("admin_main.py", command, settings={**NOWHERE, **IMPATIENT})
    assert end.code == 1
    assert one_sentence(end).startswith("cannot start without PostgreSQL at 127.0.0.1:9/none")


async def test_servers_that_stay_away_end_the_start(
    postgres_server: PostgresServer, database_url: str, temporal_server: TemporalServer
) -> None:
    await postgres_server.create_database("older")
    here = {"DATABASE_URL": database_url, "TEMPORAL_ADDRESS": temporal_server.address}
    schema, temporal, namespace = await asyncio.gather(
        worker("orders", {**here, "DATABASE_URL": postgres_server.url("older")}),
        worker("orders", {**here, "TEMPORAL_ADDRESS": "127.0.0.1:9"}),
        worker("orders", {**here, **A_BIT_PATIENT, "TEMPORAL_NAMESPACE": "nobody-made-it"}),
    )
    assert [end.code for end in (schema, temporal, namespace)] == [1, 1, 1]
    assert "the database schema (" in one_sentence(schema)
    assert "run admin_main.py setup" in one_sentence(schema)
    assert one_sentence(temporal).startswith("cannot start without Temporal at 127.0.0.1:9")
    assert "Temporal namespace nobody-made-it" in one_sentence(namespace)
    assert "run admin_main.py setup" in one_sentence(namespace)
    await postgres_server.drop_database("older")


async def test_a_missing_search_attribute_is_named(
    database_url: str, temporal_server: TemporalServer
) -> None:
    client = await connect(temporal_server.address)
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace="bare", workflow_execution_retention_period=Duration(seconds=86_400)
        )
    )
    here = {"DATABASE_URL": database_url, "TEMPORAL_ADDRESS": temporal_server.address}
    end = await ended(
        "worker_main.py",
        "--role",
        "orders",
        settings={**here, "TEMPORAL_NAMESPACE": "bare", "START_WAIT_SECONDS": "15"},
    )
    assert end.code == 1
    assert "Temporal search attributes (" in one_sentence(end)
    assert "OrderStage" in one_sentence(end)


@pytest.mark.parametrize(("minutes", "side"), [(-7, "ahead of"), (7, "behind")])
async def test_a_clock_that_is_minutes_off_is_named(
    database_url: str, owner_url: str, temporal_server: TemporalServer, minutes: int, side: str
) -> None:
    """PostgreSQL itself shows another time: to everybody in this database."""
    owner = await asyncpg.connect(owner_url)
    await owner.execute(
        f"""create schema shifted;
            create function shifted.clock_timestamp() returns timestamptz language sql
                as 'select pg_catalog.clock_timestamp() + interval ''{minutes} minutes''';
            grant usage on schema shifted to public"""
    )
    name = await owner.fetchval("select current_database()")
    await owner.execute(f'alter database "{name}" set search_path = shifted, pg_catalog, public')
    await owner.close()
    here = {"DATABASE_URL": database_url, "TEMPORAL_ADDRESS": temporal_server.address, **PATIENT}
    end = await worker("orders", here)
    assert end.code == 1
    assert one_sentence(end).startswith("the clock of this machine is 4")
    assert f"s {side} PostgreSQL's: set the wrong one right" in one_sentence(end)


async def test_a_full_disk_is_named(
    database_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    """A limit on what a file may hold: writing fails as it does where nothing is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "worker_main.py",
        "--role",
        "prompts",
        cwd=ROOT,
        env=surroundings(
            {
                "DATABASE_URL": database_url,
                "TEMPORAL_ADDRESS": temporal_server.address,
                "MEDIA_URL": tmp_path.as_uri(),
                "PYTHONDONTWRITEBYTECODE": "1",
            }
        ),
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000)),
    )
    _, err = await asyncio.wait_for(process.communicate(), START_SECONDS_MAX)
    assert process.returncode == 1
    assert one_sentence(Ended(1, "", err.decode())).startswith(
        f"MEDIA_URL: {tmp_path} takes no more files (File too large): free some space"
    )


async def test_a_port_that_is_taken_is_named() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    end = await worker("orders", {**NOWHERE, "HEALTH_PORT": str(port)})
    server.close()
    assert (end.code, one_sentence(end)) == (
        2,
        f"127.0.0.1:{port} is taken by another program; set HEALTH_PORT to a free port",
    )


async def test_health_from_the_first_moment_ready_only_while_it_polls(
    database_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    port = free_port()
    settings = {
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": "127.0.0.1:9",
        "MEDIA_URL": tmp_path.as_uri(),
        "HEALTH_PORT": str(port),
    }
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
        process = await started("worker_main.py", "--role", "orders,prompts", settings=settings)
        await line_with(process.stderr, "Temporal at 127.0.0.1:9")
        assert (await http.get("/health")).status_code == 200
        waiting = await http.get("/ready")
        assert (waiting.status_code, waiting.json()["waiting_for"]) == (503, ["Temporal", "polling"])
        process.terminate()
        assert await process.wait() == 0
        settings["TEMPORAL_ADDRESS"] = temporal_server.address
        process = await started("worker_main.py", "--role", "orders,prompts", settings=settings)
        await line_with(process.stderr, "serving")

        async def ready() -> bool:
            answer = await http.get("/ready")
            told: object = answer.json()
            return (answer.status_code, told) == (200, {"ready": True, "waiting_for": []})

        await soon(ready, "ready while it serves")
        process.send_signal(signal.SIGTERM)
        await line_with(process.stderr, "drains")
        assert await process.wait() == 0
        with pytest.raises(httpx.ConnectError):
            await http.get("/health")


@pytest.mark.parametrize(("role", "service"), [("telegram", Outside.TELEGRAM), ("prompts", Outside.OPENAI)])
async def test_a_mark_is_taken_off_though_nobody_calls(
    database: Database,
    database_url: str,
    temporal_server: TemporalServer,
    telegram_standin: Standin,
    tmp_path: Path,
    role: str,
    service: Outside,
) -> None:
    """Telegram is probed; OpenAI is asked no more where there is no key."""
    services = Services(database, lambda: utc_now() - timedelta(hours=1))
    for _ in range(10):
        await services.unreachable(service)
    settings = {
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_server.address,
        "TELEGRAM_API_BASE": telegram_standin.url,
        "BOT_TOKEN": MADE_UP["BOT_TOKEN"],
        "MEDIA_URL": tmp_path.as_uri(),
        "TIME_SCALE": "0.02",
    }
    process = await started("worker_main.py", "--role", role, settings=settings)

    async def back() -> bool:
        (status,) = await services.statuses()
        return status.down_since is None

    await line_with(process.stderr, "serving")
    await soon(back, "the mark is taken off", 60)
    process.terminate()
    assert await process.wait() == 0
