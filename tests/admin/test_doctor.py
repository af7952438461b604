"""`doctor`: all well, each thing that can be wrong, and nothing there at all."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest_asyncio
from pydantic import SecretStr
from starlette.applications import Starlette
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.contracts import TaskQueue
from admin.doctor_database import examine_database
from admin.doctor_services import (
    examine_backups,
    examine_disk,
    examine_media,
    examine_openai,
    examine_public_address,
    examine_telegram,
)
from admin.doctor_settings import examine_settings, setting_lines
from admin.doctor_temporal import examine_temporal
from admin.findings import Finding, Level, examine
from admin.tools import Tools
from local.standins import Standin
from local.temporal import TemporalServer, connect
from serving import Stop
from settings import load_settings
from store.database import Database
from tests.admin.operator import NO_TEMPORAL, Operator
from tests.observability.servers import until
from tests.web.serving import serving
from web.health import HealthRoutes, Readiness
from web.kie_callback import KieCallbackRoute
from web.server import build_app, build_health_app
from workflows.namespace import prepare_namespace
from workflows.start import Delivered, ensure_schedules

NOWHERE = "http://127.0.0.1:9"
TOKEN = "123456789:AAF-a-token-of-the-tests-and-of-nobody-else"
PAYLOAD_KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
ELSEWHERE = {
    "DATABASE_URL": "postgresql://operator:hush-hush@127.0.0.1:9/none",
    "TEMPORAL_ADDRESS": NO_TEMPORAL,
    "BOT_TOKEN": TOKEN,
    "TELEGRAM_API_BASE": NOWHERE,
    "KIE_API_KEY": "a-key-of-kie",
    "KIE_API_BASE": NOWHERE,
    "OPENAI_API_KEY": "sk-a-key-of-openai",
    "OPENAI_BASE_URL": NOWHERE,
    "MEDIA_URL": "file:///proc/nothing/can/be/written/here",
    "PUBLIC_BASE_URL": NOWHERE,
    "KIE_WEBHOOK_SECRET": "a-secret-of-the-tests",
    "DATABASE_OWNER_URL": "postgresql://owner:hush-hush@127.0.0.1:9/none",
    "BACKUP_DATABASE_URL": "postgresql://backup:hush-hush@127.0.0.1:9/none",
    "BACKUP_URL": "file:///proc/nothing/can/be/kept/here",
    "TEMPORAL_UI_URL": NOWHERE,
    "TEMPORAL_PAYLOAD_KEY": f"2026-11:{PAYLOAD_KEY}",
    "CODEC_TOKEN": "a-token-of-the-engineers-of-nobody",
    "OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE,
}


def tools(**environment: str) -> Tools:
    return Tools(load_settings(environment), Stop(), AsyncExitStack())


def levels(findings: list[Finding]) -> dict[str, Level]:
    return {finding.what: finding.level for finding in findings}


def wrong_lines(report: Any) -> dict[str, str]:
    return {line["what"]: line["said"] for line in report["findings"] if line["level"] == "wrong"}


async def test_where_nothing_is_there_each_is_named_and_no_secret_is() -> None:
    nowhere = Operator(ELSEWHERE)
    screen, report = await asyncio.gather(nowhere.says("doctor", "--settings"), nowhere.reads("doctor"))
    assert screen.code == 1
    wrong = wrong_lines(report)
    for what in ("PostgreSQL", "Temporal", "Telegram", "OpenAI", "MEDIA_URL", "PUBLIC_BASE_URL"):
        assert what in wrong, what
    assert {"DATABASE_OWNER_URL", "BACKUP_DATABASE_URL"} <= set(wrong)
    warned = {line["what"] for line in report["findings"] if line["level"] == "warning"}
    assert {"TEMPORAL_UI_URL", "payload codec", "OTEL_EXPORTER_OTLP_ENDPOINT"} <= warned
    assert any(what.startswith("KIE key") for what in wrong)
    assert all(line["do"] for line in report["findings"] if line["level"] != "ok")
    told = screen.out + screen.err + str(report)
    assert "Traceback" not in told
    assert not any(
        secret in told
        for secret in (
            TOKEN,
            "hush-hush",
            "a-key-of-kie",
            "sk-a-key",
            "a-secret-of",
            PAYLOAD_KEY,
            "a-token-of",
        )
    )


async def test_a_database_as_it_should_be(database_url: str) -> None:
    found = await examine_database(tools(DATABASE_URL=database_url))
    assert set(levels(found)) == {"PostgreSQL", "clock", "connections", "schema", "rights"}
    assert {finding.level for finding in found} == {Level.OK}


async def test_an_old_schema_and_a_mighty_login_are_seen(owner_url: str) -> None:
    mighty = await examine_database(tools(DATABASE_URL=owner_url))
    owner = await Database.connect(owner_url)
    async with owner.connection() as connection:
        await connection.execute("delete from _yoyo_migration where migration_id like '0004%'")
    await owner.close()
    old = await examine_database(tools(DATABASE_URL=owner_url))
    assert levels(mighty)["rights"] is Level.WARNING
    assert [(each.said, each.do) for each in old if each.what == "schema"] == [
        ("lacks 0004.operations", "run admin_main.py migrate")
    ]


async def test_a_restored_database_whose_payments_are_not_read_is_wrong(
    database_url: str, owner_url: str
) -> None:
    owner = await Database.connect(owner_url)
    async with owner.connection() as connection:
        await connection.execute("insert into epochs (epoch, raised_at) values (1, now())")
    await owner.close()
    assert levels(await examine_database(tools(DATABASE_URL=database_url)))["epoch"] is Level.WRONG


@pytest_asyncio.fixture
async def unserved(temporal_server: TemporalServer) -> Client:
    """The server is shared: in the namespace of all tests somebody may have polled a minute ago."""
    client = await connect(temporal_server.address, "unserved")
    await prepare_namespace(client)
    await ensure_schedules(client)
    return client


async def test_temporal_without_workers_names_every_queue(
    temporal_server: TemporalServer, unserved: Client
) -> None:
    found = await examine_temporal(
        tools(TEMPORAL_ADDRESS=temporal_server.address, TEMPORAL_NAMESPACE=unserved.namespace)
    )
    unpolled = {each.what for each in found if "nobody polls" in each.said}
    assert unpolled == {
        f"queue {name}" for name in ("orders", "prompts", "kie", "kie-create", "media", "telegram")
    }
    assert levels(found)["namespace"] is Level.OK
    assert levels(found)["schedule housekeeping"] is Level.OK
    assert all(each.do for each in found if each.level is not Level.OK)


async def test_who_polled_a_minute_ago_is_named(temporal_server: TemporalServer, unserved: Client) -> None:
    where = tools(TEMPORAL_ADDRESS=temporal_server.address, TEMPORAL_NAMESPACE="served-before")
    client = await connect(temporal_server.address, "served-before")
    await prepare_namespace(client)
    async with Worker(client, task_queue=TaskQueue.MEDIA, activities=[nothing], identity="ann"):
        await until(lambda: _is_polled(where), "the server lists the worker")
    assert await _is_polled(where), "it ended a moment ago"
    elsewhere = tools(TEMPORAL_ADDRESS=temporal_server.address, TEMPORAL_NAMESPACE=unserved.namespace)
    assert not await _is_polled(elsewhere)


@activity.defn
async def nothing() -> None: ...


async def _is_polled(by: Tools) -> bool:
    found = {each.what: each for each in await examine_temporal(by)}
    media = found.get("queue media")
    return media is not None and "polled by ann" in media.said


async def test_a_namespace_that_is_missing_is_one_line(temporal_server: TemporalServer) -> None:
    found = await examine_temporal(
        tools(TEMPORAL_ADDRESS=temporal_server.address, TEMPORAL_NAMESPACE="not-there")
    )
    assert [each.said for each in found if each.level is Level.WRONG] == ["there is no namespace not-there"]


async def test_telegram_is_asked_who_the_bot_is(telegram_standin: Standin) -> None:
    token = tools(BOT_TOKEN=TOKEN, TELEGRAM_API_BASE=telegram_standin.url)
    assert set(levels(await examine_telegram(token)).values()) == {Level.OK}


async def test_openai_knows_the_model_or_not(openai_standin: Standin) -> None:
    base = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{openai_standin.url}/v1"}
    known, unknown = await asyncio.gather(
        examine_openai(tools(**base)), examine_openai(tools(**base, OPENAI_MODEL="no-such-model"))
    )
    assert levels(known) == {"OpenAI": Level.OK}
    assert levels(unknown) == {"OpenAI": Level.WRONG}
    assert "no-such-model" in unknown[0].said


async def test_media_are_written_read_and_deleted(tmp_path: Path) -> None:
    (found,) = await examine_media(tools(MEDIA_URL=f"file://{tmp_path}/media"))
    assert (found.level, found.said.endswith("written, read, deleted")) == (Level.OK, True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_folder_is_read_as_media_are_kept(tmp_path: Path) -> None:
    """As the address says, though a folder on its way is not there."""
    (backups,) = await examine_backups(tools(BACKUP_URL=f"file://{tmp_path}/none/.."))
    (disk,) = await examine_disk(tools(MEDIA_URL=f"file://{tmp_path}/none/../media"))
    assert (backups.level, "deleted" in backups.said) == (Level.OK, True)
    assert disk.said.endswith(f"free under {tmp_path}")


async def test_a_backup_folder_of_another_container_is_nothing_wrong(tmp_path: Path) -> None:
    (elsewhere,) = await examine_backups(tools(BACKUP_URL=f"file://{tmp_path}/not-mounted"))
    (here,) = await examine_backups(tools(BACKUP_URL=f"file://{tmp_path}"))
    assert (elsewhere.level, "how old" in elsewhere.said) == (Level.OK, True)
    assert not (tmp_path / "not-mounted").exists()
    assert (here.level, "deleted" in here.said) == (Level.OK, True)


async def test_the_public_address_reaches_a_bot_or_something_else() -> None:
    """Asked as KIE asks: /health stays inside."""

    async def no_signal(_attempt_id: str, _kie_task_id: str) -> Delivered:
        raise AssertionError("a forged callback was believed")

    async def ready() -> Readiness:
        return Readiness()

    health = HealthRoutes(ready)
    bot = build_app(KieCallbackRoute(SecretStr("a-secret"), no_signal), health)
    assert await public_address(bot) is Level.OK
    assert await public_address(build_health_app(health)) is Level.WRONG


async def public_address(app: Starlette) -> Level:
    async with serving(app) as origin:
        (found,) = await examine_public_address(tools(PUBLIC_BASE_URL=origin, KIE_WEBHOOK_SECRET="a-secret"))
    return found.level


async def test_what_hangs_is_a_finding() -> None:
    async def hangs() -> list[Finding]:
        raise TimeoutError

    (found,) = await examine("the dentist", hangs)
    assert (found.level, "no answer" in found.said) == (Level.WRONG, True)


def test_settings_are_listed_without_secrets() -> None:
    lines = {line.name: line for line in setting_lines(load_settings(ELSEWHERE))}
    assert lines["BOT_TOKEN"].value == "set"
    assert (lines["WEB_PORT"].value, lines["WEB_PORT"].is_default) == ("8088", True)
    assert "hush" not in str(lines)


def test_a_missing_setting_says_what_it_costs() -> None:
    found = {finding.what: finding for finding in examine_settings(load_settings({}))}
    assert found["BOT_TOKEN"].level is Level.WRONG
    assert found["PUBLIC_BASE_URL"].level is Level.WARNING
    assert found["BACKUP_URL"].level is Level.WARNING
    assert found["METRICS_PORT"].level is Level.OK, "no command shows metrics"
