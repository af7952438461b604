"""bot_main, worker_main and admin_main alone: wrong settings, waiting, draining."""

import asyncio
import signal
from functools import partial
from pathlib import Path

import pytest

from local.postgres import PostgresServer
from local.standins import Service, made_up_credentials
from local.temporal import TemporalServer
from store.database import Database
from tests.run.programs import ended, line_with, started

pytestmark = pytest.mark.timeout(600)  # several programs start, one after the other

MADE_UP = made_up_credentials(frozenset(Service), {})
NOWHERE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "TEMPORAL_ADDRESS": "127.0.0.1:9"}


async def test_what_cannot_start_says_why_in_one_sentence_and_ends_with_2() -> None:
    without_key = {"BOT_TOKEN": MADE_UP["BOT_TOKEN"]}
    ends = await asyncio.gather(
        ended("bot_main.py", settings={}),
        ended("worker_main.py", settings=without_key),
        ended("worker_main.py", "--role", "kie,dance", settings=MADE_UP),
        ended("admin_main.py", "setup", settings={"WEB_PORT": "eighty"}),
    )
    assert [end.code for end in ends] == [2, 2, 2, 2]
    assert [len(end.err.splitlines()) for end in ends] == [1, 1, 1, 1]
    bot, worker, role, admin = (end.err for end in ends)
    assert bot.startswith("BOT_TOKEN: is not set, for example BOT_TOKEN=")
    assert worker.startswith("KIE_API_KEY: is not set, for example KIE_API_KEY=")
    assert role.startswith("--role: unknown dance, choose from orders,prompts,kie,kie-create,media,telegram")
    assert admin.startswith("WEB_PORT: ")


async def test_it_says_what_it_waits_for_and_ends_at_once_when_asked() -> None:
    process = await started("bot_main.py", settings={**MADE_UP, **NOWHERE})
    assert "PostgreSQL at 127.0.0.1:9/none" in await line_with(process.stderr, "waiting")
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_a_worker_waits_for_the_schema_then_for_temporal(postgres_server: PostgresServer) -> None:
    await postgres_server.create_database("bare")
    settings = {**MADE_UP, **NOWHERE, "DATABASE_URL": postgres_server.url("bare")}
    process = await started("worker_main.py", "--role", "orders", settings=settings)
    assert "run admin_main.py setup" in await line_with(process.stderr, "database schema")
    setup = await started("admin_main.py", "setup", settings=settings)
    await line_with(setup.stderr, "Temporal at 127.0.0.1:9")
    await line_with(process.stderr, "Temporal at 127.0.0.1:9")
    setup.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert (await setup.wait(), await process.wait()) == (130, 0)
    await postgres_server.drop_database("bare")


async def test_a_worker_serves_and_drains(
    database_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    settings = {**MADE_UP, "DATABASE_URL": database_url, "TEMPORAL_ADDRESS": temporal_server.address}
    process = await started("worker_main.py", settings={**settings, "MEDIA_URL": tmp_path.as_uri()})
    await line_with(process.stderr, "serving")
    process.send_signal(signal.SIGTERM)
    await line_with(process.stderr, "drains")
    assert await process.wait() == 0


async def test_a_worker_without_a_place_for_media_says_so(
    database_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings = {**MADE_UP, "DATABASE_URL": database_url, "TEMPORAL_ADDRESS": temporal_server.address}
    end = await ended("worker_main.py", settings={**settings, "MEDIA_URL": (tmp_path / "file").as_uri()})
    assert end.code == 2
    assert end.err.splitlines()[-1].startswith("MEDIA_URL: ")


async def test_setup_and_grant(postgres_server: PostgresServer, temporal_server: TemporalServer) -> None:
    await postgres_server.create_database("bought")
    settings = {
        "DATABASE_URL": postgres_server.program_url("bought"),
        "DATABASE_OWNER_URL": postgres_server.url("bought"),
        "TEMPORAL_ADDRESS": temporal_server.address,
        "TEMPORAL_NAMESPACE": "setup-test",
    }
    first = await ended("admin_main.py", "setup", settings=settings)
    again = await ended("admin_main.py", "setup", settings=settings)
    assert (first.code, again.code) == (0, 0)
    assert "namespace setup-test created" in first.out
    assert again.out.splitlines() == ["database: up to date", "Temporal: up to date"]
    owner_elsewhere = {**settings, "DATABASE_OWNER_URL": ""}
    as_program = await ended("admin_main.py", "setup", settings=owner_elsewhere)
    assert (as_program.code, as_program.out.splitlines()) == (0, again.out.splitlines())
    unasked = await ended("admin_main.py", "grant", "77", "5", "a present", settings=settings)
    assert (unasked.code, unasked.err) == (1, "Give 5 credits to 77? Nobody can be asked here: say --yes\n")
    granted = await ended("admin_main.py", "grant", "--yes", "77", "5", "a present", settings=settings)
    assert granted.out == "user 77: +5, now 5 available and 0 reserved\n"
    taken = await ended("admin_main.py", "grant", "--yes", "--", "77", "-6", "too much", settings=settings)
    assert (taken.code, taken.err) == (1, "user 77 has only 5 credits\n")
    owner_only = {**settings, "DATABASE_URL": settings["DATABASE_OWNER_URL"]}
    warned = await ended("admin_main.py", "setup", settings=owner_only)
    assert "DATABASE_URL may change the tables and the ledger" in warned.out
    await postgres_server.drop_database("bought")


async def test_every_grant_is_its_own_entry(database: Database, database_url: str) -> None:
    give = partial(
        ended, "admin_main.py", "grant", "--yes", "8", "3", "sorry", settings={"DATABASE_URL": database_url}
    )
    await asyncio.gather(give(), give())
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select e.kind, e.available_delta, n.note from credit_entries e join entry_notes n using (cause)"
        )
    assert [tuple(row) for row in rows] == [("grant", 3, "sorry")] * 2


async def test_grant_refuses_what_nobody_means_and_says_what_is_missing() -> None:
    too_many, nobody, for_nothing, nowhere = await asyncio.gather(
        ended("admin_main.py", "grant", "--yes", "8", "1000001", "typo", settings=NOWHERE),
        ended("admin_main.py", "grant", "--yes", "9" * 20, "1", "x", settings=NOWHERE),
        ended("admin_main.py", "grant", "--yes", "8", "1", " ", settings=NOWHERE),
        ended("admin_main.py", "grant", "--yes", "8", "1", "x", settings=NOWHERE),
    )
    assert (too_many.code, nobody.code, for_nothing.code) == (2, 2, 2)
    assert "'tg_id'" in nobody.err
    assert "the reason" in for_nothing.err
    assert "credits must be between 1 and 1,000,000" in too_many.err
    assert nowhere.code == 1
    assert nowhere.err == "cannot go on without PostgreSQL at 127.0.0.1:9/none (nobody listens there)\n"
