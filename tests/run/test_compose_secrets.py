"""The files that a person never sees, and the databases that are made with them: on a real PostgreSQL."""

import os
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from local.postgres import BIN_DIR, PostgresServer
from settings import load_settings
from store.database import Database
from store.migrate import login_of, migrate, missing_migrations
from tests.run.compose_file import COMPOSE, ROOT, SERVICES
from tests.run.programs import START_SECONDS_MAX

BY_HAND = {"bot_token", "kie_api_key", "alert_chat_id"}
MADE = ROOT / "deploy" / "make_secrets.sh"
INIT = ROOT / "deploy" / "postgres" / "1-databases.sh"


def said(*words: str | Path) -> str:
    return subprocess.run(  # noqa: S603 - our own scripts, our own server
        words, capture_output=True, text=True, timeout=START_SECONDS_MAX, check=True
    ).stdout


def make_secrets(folder: Path) -> str:
    return said("sh", MADE, folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    make_secrets(made)
    return made


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_every_secret_of_compose_is_made(folder: Path) -> None:
    assert set(content(folder)) == set(COMPOSE["secrets"])


def test_only_the_owner_gets_in_and_every_container_can_read_its_own(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o644}


def test_a_second_time_changes_nothing_and_says_what_is_missing(folder: Path) -> None:
    (folder / "bot_token").write_text("123456:AAF-of-botfather\n")
    (folder / "codec_token").write_text("")  # somebody does without it
    before = content(folder)
    told = make_secrets(folder)
    assert content(folder) == before
    assert {name for name in BY_HAND if f"Fill in: {name}" in told} == BY_HAND - {"bot_token"}


@pytest.mark.parametrize("mode_of_folder", [0o700, 0o755])
def test_containers_can_read_what_was_pulled_under_a_strict_umask(
    tmp_path: Path, mode_of_folder: int
) -> None:
    deploy, secrets = tmp_path / "deploy", tmp_path / "secrets"
    rules = deploy / "prometheus" / "rules.yml"
    rules.parent.mkdir(parents=True)
    rules.write_text("groups: []")
    shutil.copy(MADE, deploy)
    rules.chmod(0o600)
    rules.parent.chmod(mode_of_folder)
    deploy.chmod(mode_of_folder)
    said("sh", deploy / MADE.name)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (deploy, rules.parent, rules)] == [
        0o755,
        0o755,
        0o644,
    ]
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700


def test_a_project_that_belongs_to_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    """The user of PostgreSQL makes the secrets of a machine without Docker, and owns no program."""
    refuses = tmp_path / "chmod"
    refuses.write_text(f'#!/bin/sh\n[ "$1" = -R ] && exit 1\nexec {shutil.which("chmod")} "$@"\n')
    refuses.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", MADE, tmp_path / "secrets"], env=environment, timeout=20, check=True)  # noqa: S603, S607
    assert set(content(tmp_path / "secrets")) == set(COMPOSE["secrets"])


def test_what_is_made_is_taken_by_our_programs(folder: Path) -> None:
    made = {name.upper(): value for name, value in content(folder).items()}
    settings = load_settings(made)
    assert settings.codec_token
    assert settings.temporal_payload_key
    assert login_of(settings.database_url.get_secret_value()) == "neurocards_program"
    assert urlsplit(settings.database_owner_url.get_secret_value()).hostname == "postgres"


def test_no_two_are_alike(folder: Path, tmp_path: Path) -> None:
    make_secrets(tmp_path / "others")
    mine, others = content(folder), content(tmp_path / "others")
    filled = [name for name, value in mine.items() if value]
    assert len({mine[name] for name in filled}) == len(filled)
    assert not [name for name in filled if mine[name] == others[name]]


@pytest.fixture
async def fresh_server(run_folder: Path) -> AsyncIterator[PostgresServer]:
    """With the superuser that the image has."""
    server = PostgresServer(run_folder / f"fresh-{uuid4().hex[:6]}", durable=False)
    await server.start()
    password = urlsplit(server.url()).password
    await server.execute(f"create role postgres superuser login password '{password}'")
    connection = await asyncpg.connect(server.url(login="postgres"))
    await connection.execute("alter role neurocards rename to first")
    await connection.execute("drop role neurocards_program")
    await connection.execute(f"alter role first password '{password}'")
    await connection.close()
    yield server
    await server.stop()


def run_init(server: PostgresServer, folder: Path) -> None:
    environment = {
        "PATH": f"{BIN_DIR}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGPASSWORD": str(urlsplit(server.url()).password),
        "SECRETS_FOLDER": str(folder),
    }
    subprocess.run(["sh", str(INIT)], env=environment, timeout=START_SECONDS_MAX, check=True)  # noqa: S603, S607


def here(folder: Path, name: str, server: PostgresServer) -> str:
    return (folder / name).read_text().replace("@postgres:5432/", f"@127.0.0.1:{server.port}/")


@pytest.mark.timeout(600)
async def test_the_databases_are_made_and_each_login_may_what_it_must(
    fresh_server: PostgresServer, folder: Path
) -> None:
    run_init(fresh_server, folder)
    owner_url, program_url = (
        here(folder, f"database{name}", fresh_server) for name in ("_owner_url", "_url")
    )
    assert await migrate(owner_url, login_of(program_url)) > 0
    database = await Database.connect(program_url)
    assert await missing_migrations(database) == ()
    async with database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("alter table wallets add column gift int")
    await database.close()
    assert await role(fresh_server, folder, "temporal", "temporal_visibility") == "owner"
    assert await role(fresh_server, folder, "monitor", "neurocards") == "pg_monitor"
    assert "systemid" in identified(fresh_server, folder)
    rules = (fresh_server.folder / "data" / "pg_hba.conf").read_text().splitlines()
    assert rules[-1] == "host replication neurocards_backup all scram-sha-256"


async def test_the_server_takes_the_options_of_compose(fresh_server: PostgresServer) -> None:
    options = [word for word in SERVICES["postgres"]["command"] if word.startswith("-c")]
    shown = said(
        BIN_DIR / "postgres", "-C", "max_slot_wal_keep_size", "-D", fresh_server.folder / "data", *options
    )
    assert int(shown) == 10 * 1024, "in MB"
    assert len(options) == len(SERVICES["postgres"]["command"]) - 1


async def role(server: PostgresServer, folder: Path, name: str, database: str) -> str:
    """What it is there; raise without the right password."""
    login = name if name == "temporal" else f"neurocards_{name}"
    connection = await asyncpg.connect(
        host="127.0.0.1",
        port=server.port,
        user=login,
        password=(folder / f"{name}_password").read_text(),
        database=database,
    )
    owns = "select datdba = current_user::regrole from pg_database where datname = current_database()"
    try:
        if await connection.fetchval(owns):
            return "owner"
        watches = await connection.fetchval("select pg_has_role('pg_monitor', 'member')")
        return "pg_monitor" if watches else ""
    finally:
        await connection.close()


def identified(server: PostgresServer, folder: Path) -> str:
    """What a base backup asks first."""
    url = f"{here(folder, 'backup_database_url', server)}?replication=true"
    return said(BIN_DIR / "psql", url, "-c", "IDENTIFY_SYSTEM")
