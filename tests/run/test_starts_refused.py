"""Starts that come to nothing: each program says why in one sentence, and ends with its code."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from temporalio.client import Client

from local.postgres import PostgresServer
from local.standins import Service, made_up_credentials
from local.temporal import TemporalServer, connect
from serving import (
    CannotStart,
    NotYet,
    Stop,
    StopRequested,
    await_database,
    await_temporal,
    reach_database,
    reach_temporal,
)
from settings import Settings, load_settings
from tests.run.programs import Ended, ended
from workflows.namespace import prepare_namespace

MADE_UP = made_up_credentials(frozenset(Service), {})
NO_TEMPORAL = "127.0.0.1:9"
PROGRAMS = {
    "worker": ("worker_main.py", "--role", "orders"),
    "bot": ("bot_main.py",),
    "backup": ("backup_main.py",),
}


def settings_of(tmp_path: Path, **more: str) -> dict[str, str]:
    return {
        "BOT_TOKEN": MADE_UP["BOT_TOKEN"],
        "TELEGRAM_API_BASE": "http://127.0.0.1:9",
        "TEMPORAL_ADDRESS": NO_TEMPORAL,
        "WEB_PORT": "0",
        "START_WAIT_SECONDS": "1",
        "BACKUP_URL": (tmp_path / "kept").as_uri(),
        "BACKUP_FOLDER": str(tmp_path / "folder"),
        **more,
    }


def one_sentence(end: Ended) -> str:
    assert "Traceback" not in end.err
    return end.err.splitlines()[-1]


async def change(owner_url: str, *statements: str) -> None:
    owner = await asyncpg.connect(owner_url)
    for statement in statements:
        await owner.execute(statement)
    await owner.close()


@pytest.mark.parametrize(
    ("program", "parameter", "says"),
    [
        ("worker", "foo=bar", 'DATABASE_URL: unrecognized configuration parameter "foo"'),
        ("worker", "sslmode=bogus", "DATABASE_URL: `sslmode` parameter must be one of: disable"),
        ("backup", "statement_timeout=long", "DATABASE_URL: invalid value for parameter"),
    ],
)
async def test_an_address_that_is_good_for_none_is_not_waited_for(
    database_url: str, tmp_path: Path, program: str, parameter: str, says: str
) -> None:
    settings = settings_of(tmp_path, DATABASE_URL=f"{database_url}?{parameter}", START_WAIT_SECONDS="60")
    end = await ended(*PROGRAMS[program], settings=settings)
    assert (end.code, one_sentence(end)[: len(says)]) == (2, says)
    assert len(end.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("program", "statement", "says"),
    [
        ("bot", "drop table chores", "chores: not there, or closed to neurocards_program"),
        (
            "worker",
            """revoke all on all tables in schema public from neurocards_app;
               grant select on _yoyo_migration to neurocards_app""",
            "users, wallets, credit_entries, drafts, orders and more: not there",
        ),
        ("backup", "revoke insert on videos from neurocards_app", "videos: not there, or closed"),
    ],
)
async def test_tables_that_are_gone_or_closed_are_named(
    database_url: str, owner_url: str, tmp_path: Path, program: str, statement: str, says: str
) -> None:
    await change(owner_url, statement)
    end = await ended(*PROGRAMS[program], settings=settings_of(tmp_path, DATABASE_URL=database_url))
    assert end.code == 1
    assert one_sentence(end).startswith(f"cannot start without the database tables {says}")
    assert "run admin_main.py setup" in one_sentence(end)


async def test_a_login_that_may_not_connect_is_told(postgres_server: PostgresServer) -> None:
    name = f"closed_{uuid4().hex[:8]}"
    await postgres_server.create_database(name)
    await postgres_server.execute(f'revoke connect on database "{name}" from public')
    with pytest.raises(NotYet, match="this user may not connect to this database: grant connect"):
        await reach_database(load_settings({"DATABASE_URL": postgres_server.program_url(name)}))
    await postgres_server.drop_database(name)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (PROGRAMS["backup"], "the clock of this machine is 4"),
        (("admin_main.py", "backup"), "the clock of this"),
    ],
)
async def test_a_backup_looks_at_the_clock(
    database_url: str, owner_url: str, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    await change(
        owner_url,
        """create schema shifted;
           create function shifted.clock_timestamp() returns timestamptz language sql
               as 'select pg_catalog.clock_timestamp() + interval ''7 minutes''';
           grant usage on schema shifted to public""",
        f'alter database "{database_url.rpartition("/")[2]}" set search_path = shifted, pg_catalog, public',
    )
    patient = settings_of(tmp_path, DATABASE_URL=database_url, START_WAIT_SECONDS="60")
    end = await ended(*arguments, settings=patient)
    assert end.code == 1
    assert one_sentence(end).startswith(says)
    assert "set the wrong one right" in one_sentence(end)


@pytest.mark.parametrize("program", ["worker", "backup"])
async def test_a_ready_file_that_cannot_be_made_is_told_first(tmp_path: Path, program: str) -> None:
    settings = settings_of(tmp_path, READY_FILE=str(tmp_path / "nowhere" / "ready"))
    end = await ended(*PROGRAMS[program], settings=settings)
    assert end.code == 2
    assert end.err == f"READY_FILE: {tmp_path}/nowhere/ready cannot be written: No such file or directory\n"


async def test_a_ready_file_of_an_earlier_run_is_taken_away(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    ready.touch()
    settings = settings_of(tmp_path, READY_FILE=str(ready), DATABASE_URL="postgresql://n@127.0.0.1:9/none")
    end = await ended(*PROGRAMS["worker"], settings=settings)
    assert end.code == 1
    assert not ready.exists()


@pytest.mark.parametrize("await_server", [await_database, await_temporal])
async def test_a_server_that_hangs_is_told_of_soon_and_keeps_nobody(
    await_server: Callable[[Settings, Stop], Coroutine[Any, Any, object]], log: list[MutableMapping[str, Any]]
) -> None:
    async with listening(lambda *_: None, wait_seconds=600) as settings:
        stop = Stop()
        stop.listen()
        waiting = asyncio.create_task(await_server(settings, stop))
        async with asyncio.timeout(60):
            while not log:  # noqa: ASYNC110 - a log tells nobody
                await asyncio.sleep(0.1)
            assert "(no answer yet)" in log[0]["target"]
            signal.raise_signal(signal.SIGTERM)
            with pytest.raises(StopRequested):
                await waiting


@pytest.mark.parametrize("await_server", [await_database, await_temporal])
async def test_what_hangs_is_not_waited_for_longer_than_was_said(
    await_server: Callable[[Settings, Stop], Coroutine[Any, Any, object]],
) -> None:
    began_at = time.monotonic()
    async with listening(lambda *_: None) as settings:
        with pytest.raises(CannotStart, match=r"\(it does not answer\); waited for \d+ s"):
            await await_server(settings, Stop())
    assert time.monotonic() - began_at < 60


async def test_what_answers_and_is_something_else_is_told() -> None:
    async with listening(answers_html) as settings:
        with pytest.raises(NotYet, match="it speaks another protocol, or TLS"):
            await reach_temporal(settings)
        with pytest.raises(NotYet, match="it offers no TLS, or is no PostgreSQL") as raised:
            await reach_database(settings)
    assert "TOPsecret" not in str(raised.value)


@pytest.fixture
def log() -> Iterator[list[MutableMapping[str, Any]]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


@asynccontextmanager
async def listening(answers: Callable[..., Any], wait_seconds: float = 3) -> AsyncIterator[Settings]:
    server = await asyncio.start_server(answers, "127.0.0.1", 0)
    place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    url = f"postgresql://n:TOPsecret@{place}/n"
    patience = {"START_WAIT_SECONDS": str(wait_seconds)}
    yield load_settings({"DATABASE_URL": url, "TEMPORAL_ADDRESS": place, **patience})
    server.close()


async def answers_html(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello")
    await writer.drain()
    writer.close()


async def test_a_search_attribute_of_another_type_ends_the_start(
    database_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    """A worker would serve, setup and doctor be content, and each order be refused."""
    client = await connect(temporal_server.address, f"types-{uuid4().hex[:6]}")
    await prepare_namespace(client)
    await retype(client, "OrderStage", IndexedValueType.INDEXED_VALUE_TYPE_INT)
    here = settings_of(
        tmp_path,
        DATABASE_URL=database_url,
        TEMPORAL_ADDRESS=temporal_server.address,
        TEMPORAL_NAMESPACE=client.namespace,
        START_WAIT_SECONDS="60",
    )
    worker, setup, doctor = await asyncio.gather(
        ended(*PROGRAMS["worker"], settings=here),
        ended("admin_main.py", "setup", settings=here),
        ended("admin_main.py", "doctor", settings=here),
    )
    for end in (worker, setup):
        assert end.code == 1
        assert one_sentence(end).startswith(
            "search attributes have another type in Temporal, no order could start:"
            " OrderStage is Int, not Keyword; run temporal operator search-attribute remove"
        )
    assert doctor.code == 1
    assert "OrderStage is Int, not Keyword" in doctor.out + doctor.err


async def retype(client: Client, name: str, kind: "IndexedValueType.ValueType") -> None:
    operator = client.operator_service
    await operator.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace=client.namespace, search_attributes=[name])
    )
    async with asyncio.timeout(30):
        while name in await attributes(client):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.2)
        await operator.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes={name: kind})
        )
        while (await attributes(client)).get(name) != kind:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.2)


async def attributes(client: Client) -> dict[str, "IndexedValueType.ValueType"]:
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return dict(answer.custom_attributes)
