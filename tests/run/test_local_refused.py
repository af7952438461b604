"""`make run` on data that its own servers do not take: one sentence, and the exit code 1."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from temporalio.api.enums.v1 import IndexedValueType

from domain.payload_keys import KEY_BYTES
from local.postgres import PROGRAM_LOGIN, PostgresServer
from local.stack import DATABASE
from local.temporal import TemporalServer, connect
from serving import temporal_converter
from tests.run.programs import ended
from tests.run.test_local_main import SETTINGS
from tests.run.test_starts_refused import retype
from workflows.start import ensure_schedules

pytestmark = pytest.mark.timeout(600)  # several programs start, one after the other

LOCKED_FOR_EVER = "begin; lock pg_database in share row exclusive mode; prepare transaction 'kept'"
READ_ONLY = "alter system set default_transaction_read_only = on"
KEYS = [f"k1:{base64.b64encode(letter * KEY_BYTES).decode()}" for letter in (b"a", b"b")]


async def leave_postgres(folder: Path, *scripts: str, database: str = "postgres") -> None:
    """As an earlier run left it, and somebody changed it."""
    server = PostgresServer(folder / "postgres", durable=False)
    await server.start()
    connection = await asyncpg.connect(server.url(database))
    for script in scripts:
        await connection.execute(script)
    await connection.close()
    await server.stop()


async def refusal(folder: Path, **settings: str) -> str:
    end = await ended("local_main.py", "--data", str(folder), settings={**SETTINGS, **settings})
    assert end.code == 1, end
    assert end.err.count("\n") == 1, end.err
    return end.err.removesuffix("\n")


async def test_tables_that_cannot_be_brought_up_to_date(tmp_path: Path) -> None:
    await leave_postgres(tmp_path, f"create database {DATABASE}")
    await leave_postgres(tmp_path, "create table users (of_somebody_else int)", database=DATABASE)
    said = await refusal(tmp_path)
    assert said.startswith(
        'PostgreSQL did not bring its tables up to date: relation "users" already exists; its log is '
    )


@pytest.mark.parametrize(
    ("statements", "what"),
    [
        ([], "its database: cannot execute CREATE DATABASE"),
        ([f"drop role {PROGRAM_LOGIN}"], "the login of the programs: cannot execute CREATE ROLE"),
    ],
)
async def test_a_server_that_only_reads(tmp_path: Path, statements: list[str], what: str) -> None:
    await leave_postgres(tmp_path, *statements, READ_ONLY)
    log = tmp_path / "postgres" / "postgres.log"
    expected = f"PostgreSQL did not make {what} in a read-only transaction; its log is {log}"
    assert await refusal(tmp_path) == expected


async def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    """A transaction that was prepared keeps its locks over a restart."""
    await leave_postgres(tmp_path, "alter system set max_prepared_transactions = 1")
    await leave_postgres(tmp_path, LOCKED_FOR_EVER)
    assert (await refusal(tmp_path)).startswith("PostgreSQL did not make its database: it does not answer; ")


async def test_schedules_that_temporal_does_not_take(tmp_path: Path) -> None:
    server = TemporalServer(tmp_path / "temporal", ui_port=None)
    await server.start()
    await server.stop()
    with closing(sqlite3.connect(tmp_path / "temporal" / "temporal.sqlite")) as kept:
        kept.execute(
            """create trigger refuses before insert on current_executions
               when new.workflow_id like 'temporal-sys-scheduler:%'
               begin select raise(abort, 'no schedule here'); end"""
        )
    assert (await refusal(tmp_path)).startswith("Temporal did not make its schedules (")


async def test_schedules_made_with_another_payload_key(tmp_path: Path) -> None:
    server = TemporalServer(tmp_path / "temporal", ui_port=None)
    await server.start()
    await ensure_schedules(await connect(server.address, converter=temporal_converter(SecretStr(KEYS[0]))))
    await server.stop()
    said = await refusal(tmp_path, TEMPORAL_PAYLOAD_KEY=KEYS[1])
    assert said.startswith(
        "what Temporal keeps cannot be read: the key 'k1' of TEMPORAL_PAYLOAD_KEY is not the one it was;"
        " put the earlier key back"
    )


async def test_attributes_of_another_type(tmp_path: Path) -> None:
    server = TemporalServer(tmp_path / "temporal", ui_port=None)
    await server.start()
    client = await connect(server.address)
    await retype(client, "OrderStage", IndexedValueType.INDEXED_VALUE_TYPE_INT)
    await server.stop()
    assert (await refusal(tmp_path)).startswith("search attributes have another type in Temporal")
