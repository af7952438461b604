"""A real Alertmanager with our configuration writes to the stand-in for Telegram, over HTTP."""

import os
import re
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from local.processes import LOCALHOST, free_port
from local.standins import Standin
from tests.observability.alerts import ALERTS
from tests.observability.servers import DEPLOY, Server, until
from tests.stories.seller import Seller
from tests.tools import tool

FOLDER = DEPLOY / "alertmanager"
TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
ENOUGH_SECONDS = 60


@dataclass(frozen=True)
class Admin:
    seller: Seller

    async def texts(self) -> list[str]:
        return [each.text for each in await self.seller.messages() if each.from_bot]


ALWAYS_TOLD = {
    "InvariantBroken",
    "BotDown",
    "KieKeysNone",
    "VideosFailBadly",
    "WalArchiveBehind",
    "BackupTooOld",
    "BackupMissing",
    "RestoreTestTooOld",
    "PostgresUnwatched",
    "Watchdog",
}
"""Whatever else is wrong."""

SUPPRESSED = "suppressed"
LAST = "of the last"
SOURCES = {"work", "services", "invariants", "chores", "task queues", "problems", "accounts", "disks"}
"""Of gauges; tests/telemetry holds them to what is measured."""


@dataclass
class Alertmanager:
    server: Server
    posted: list[dict[str, Any]] = field(default_factory=list)

    async def post(self, alerts: Sequence[dict[str, Any]]) -> None:
        async with httpx.AsyncClient(base_url=self.server.url, timeout=30) as client:
            (await client.post("/api/v2/alerts", json=list(alerts))).raise_for_status()

    async def suppressed(self) -> set[str]:
        """Of what it was posted, what is not told.

        Who hides whom it learns alert by alert, some time after it has taken them. Once the last one hides
        another it knows all of them.
        """
        await self.post([ALERTS[name].fired("9%", volume=LAST) for name in ("DiskLow", "DiskAlmostFull")])
        await until(self._last_is_hidden, "the last alert hides another", ENOUGH_SECONDS)
        hidden = await self._hidden()
        return {each["alertname"] for each in hidden if each.get("volume") != LAST}

    async def _last_is_hidden(self) -> bool:
        return any(each.get("volume") == LAST for each in await self._hidden())

    async def _hidden(self) -> list[dict[str, str]]:
        posted = await self.server.get("/api/v2/alerts")
        return [each["labels"] for each in posted if each["status"]["state"] == SUPPRESSED]

    @property
    def log(self) -> str:
        return self.server.log_path.read_text()


def configuration(folder: Path, telegram_url: str, chat_id: int, watchdog_url: str) -> Path:
    """Ours, with shorter waits. Debian's 0.25 takes a value where the one we deploy takes a file."""
    text = (FOLDER / "alertmanager.yml").read_text()
    for ours, theirs in (
        ("chat_id_file: /run/secrets/alert_chat_id", f"chat_id: {chat_id}"),
        ("bot_token_file: /run/secrets/bot_token", f"bot_token: {TOKEN}"),
        ("url_file: /run/secrets/deadman_url", f"url: {watchdog_url}"),
        ("https://api.telegram.org", telegram_url),
        ("/etc/alertmanager/templates", str(FOLDER / "templates")),
        ("group_wait: 5s", "group_wait: 2s"),
        ("group_wait: 1m", "group_wait: 2s"),
        ("group_interval: 5m", "group_interval: 2s"),
    ):
        assert ours in text, ours
        text = text.replace(ours, theirs)
    path = folder / "alertmanager.yml"
    path.write_text(text)
    return path


@asynccontextmanager
async def running(folder: Path, telegram_url: str, chat_id: int) -> AsyncIterator[Alertmanager]:
    server = Server("alertmanager", folder, "/-/ready")
    config = configuration(folder, telegram_url, chat_id, f"http://{LOCALHOST}:{free_port()}/")
    await server.run(
        [
            "sh",
            FOLDER / "start.sh",
            f"--config.file={config}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address={LOCALHOST}:{server.port}",
            "--cluster.listen-address=",
        ],
        {"ALERTMANAGER": tool("prometheus-alertmanager"), "PATH": os.environ["PATH"]},
    )
    try:
        yield Alertmanager(server)
    finally:
        await server.stop()


@asynccontextmanager
async def admin_of(standin: Standin) -> AsyncIterator[Admin]:
    async with httpx.AsyncClient(base_url=standin.url, timeout=30) as client:
        seller = await Seller.join(client, "Admin")
        await seller.say("/start")  # or no bot may write to him
        yield Admin(seller)


def burst() -> list[dict[str, Any]]:
    """Fifty at once, of five kinds."""
    return [
        *(ALERTS["InvariantBroken"].fired("1", rule=f"I{number}") for number in range(1, 7)),
        *(ALERTS["TargetDown"].fired(job="worker", instance=f"10.0.0.{n}:9464") for n in range(30)),
        *(ALERTS["KieBalanceLow"].fired("12.5", account=f"account-{n}") for n in range(10)),
        *(ALERTS["FailureShareHigh"].fired("12%", failure_class=each) for each in ("BILLING", "UNKNOWN")),
        *(ALERTS["DiskLow"].fired("9%", volume=each) for each in ("postgres", "media")),
    ]


def test_amtool_takes_the_configuration(tmp_path: Path) -> None:
    path = configuration(tmp_path, "https://api.telegram.org", 1, "http://localhost/")
    checked = subprocess.run(  # noqa: S603 - Debian's own program
        [tool("amtool"), "check-config", path], capture_output=True, text=True, timeout=30, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_secret_and_no_chat_is_in_the_configuration() -> None:
    loaded = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())
    for receiver in loaded["receivers"]:
        for config in [*receiver.get("telegram_configs", []), *receiver.get("webhook_configs", [])]:
            assert not {"chat_id", "bot_token", "url"} & set(config), config


def test_routes_and_inhibitions_name_alerts_that_exist() -> None:
    """A rule that was renamed must not quietly come back as noise."""
    text = (FOLDER / "alertmanager.yml").read_text()
    loaded = yaml.safe_load(text)
    assert "!~" not in text, "what is not told is told by name"
    assert "!=" not in text
    matchers = [each["matchers"] for each in loaded["route"]["routes"]]
    matchers += [
        rule[side] for rule in loaded["inhibit_rules"] for side in ("source_matchers", "target_matchers")
    ]
    patterns = re.findall(r'alertname!?=~?"([^"]+)"', " ".join(str(each) for each in matchers))
    assert len(patterns) > 10
    for pattern in "|".join(patterns).split("|"):
        assert any(re.fullmatch(pattern, name) for name in ALERTS), pattern


@pytest.mark.timeout(300)
async def test_fifty_alerts_are_five_readable_messages(tmp_path: Path, telegram_standin: Standin) -> None:
    alerts = burst()
    assert len(alerts) == 50
    async with (
        admin_of(telegram_standin) as admin,
        running(tmp_path, telegram_standin.url, admin.seller.id) as manager,
    ):
        await manager.post(alerts)

        async def all_there() -> bool:
            return len(await admin.texts()) >= 5

        await until(all_there, "five messages", ENOUGH_SECONDS)
        texts = await admin.texts()
        assert len(texts) == 5, texts
        for text in texts:
            assert len(text) < 1_200, text
            assert re.search(r"👉 docs/runbook\.md#[a-z-]+$", text), text
            assert "{{" not in text
            assert "<b>" not in text
        (money,) = (text for text in texts if text.startswith("🔴"))
        assert "Rule I1 of the money is broken" in money
        assert "• Rule I6 of the money is broken" in money
        (targets,) = (text for text in texts if "cannot be asked" in text)
        assert "… 30 in all" in targets
        assert TOKEN.partition(":")[2] not in manager.log


@pytest.mark.timeout(300)
async def test_what_follows_from_something_else_is_not_told(
    tmp_path: Path, telegram_standin: Standin
) -> None:
    alerts = [
        ALERTS["TemporalDown"].fired(),
        *(ALERTS["NobodyPolls"].fired(task_queue=queue, kind="activity") for queue in ("kie", "media")),
        ALERTS["UnstartedOrders"].fired("3"),
        ALERTS["KieKeysNone"].fired(),
        ALERTS["KieKeysLow"].fired("0"),
    ]
    async with (
        admin_of(telegram_standin) as admin,
        running(tmp_path, telegram_standin.url, admin.seller.id) as manager,
    ):
        await manager.post(alerts)

        async def both_there() -> bool:
            return len(await admin.texts()) >= 2

        await until(both_there, "two messages", ENOUGH_SECONDS)
        told = sorted(text.splitlines()[0] for text in await admin.texts())
        assert told == ["🔴 No KIE key can buy a video", "🔴 Temporal is away"]


@pytest.mark.timeout(300)
async def test_a_database_that_is_away_hides_only_what_follows_from_it(
    tmp_path: Path, telegram_standin: Standin
) -> None:
    follows = {"InvariantCheckStale", "TemporalDown", "NobodyPolls"}
    told = {
        "PostgresDown",
        "InvariantBroken",
        "BotDown",
        "KieKeysNone",
        "VideosFailBadly",
        "WalArchiveBehind",
    }
    unseen = ALERTS["MeasuringStopped"].fired(source="work")
    async with (
        admin_of(telegram_standin) as admin,
        running(tmp_path, telegram_standin.url, admin.seller.id) as manager,
    ):
        await manager.post([unseen, *(fired(name) for name in follows | told)])

        async def all_there() -> bool:
            return len(await admin.texts()) >= len(told)

        await until(all_there, f"{len(told)} messages", ENOUGH_SECONDS)
        assert {text.splitlines()[0] for text in await admin.texts()} == {
            f"🔴 {fired(name)['annotations']['summary']}" for name in told
        }
        # After the texts: asking posts an alert that is told as well.
        assert await manager.suppressed() == {*follows, "MeasuringStopped"}


@pytest.mark.timeout(300)
async def test_a_database_that_nobody_watches_hides_nothing(tmp_path: Path) -> None:
    """An exporter that ended for its memory is no reason to hear nothing else."""
    async with running(tmp_path, f"http://{LOCALHOST}:{free_port()}", 5) as manager:
        others = set(ALERTS) - _sources()
        assert {"PostgresUnwatched", "WorkerBlind", "KieQueueLong"} <= others
        await manager.post([fired(name) for name in others])
        assert await manager.suppressed() == set()


@pytest.mark.timeout(300)
async def test_some_are_told_whatever_else_is_wrong(tmp_path: Path) -> None:
    async with running(tmp_path, f"http://{LOCALHOST}:{free_port()}", 5) as manager:
        await manager.post([fired(name) for name in ALERTS])
        suppressed = await manager.suppressed()
    assert not suppressed & ALWAYS_TOLD
    assert "InvariantCheckStale" in suppressed


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("cause", "source", "hidden"),
    [
        ("TemporalDown", "task queues", True),
        ("TemporalDown", "invariants", False),
        ("PostgresDown", "invariants", True),
        ("PostgresDown", "disks", False),
    ],
)
async def test_not_seeing_is_told_unless_it_follows(
    tmp_path: Path, cause: str, source: str, *, hidden: bool
) -> None:
    about = [
        ALERTS[name].fired(source=source, instance="w:1") for name in ("MeasuringStopped", "WorkerBlind")
    ]
    async with running(tmp_path, f"http://{LOCALHOST}:{free_port()}", 5) as manager:
        await manager.post([ALERTS[cause].fired(), *about])
        # One that nobody measures is no worker's own trouble.
        follows = {"MeasuringStopped", "WorkerBlind"} if hidden else {"WorkerBlind"}
        assert await manager.suppressed() == follows


def test_sources_that_are_named_exist() -> None:
    text = (FOLDER / "alertmanager.yml").read_text()
    named = {each for found in re.findall(r'source=~"([^"]+)"', text) for each in found.split("|")}
    assert named == SOURCES - {"disks"}


def fired(name: str) -> dict[str, Any]:
    """With some value for each label that its words name."""
    words = " ".join(ALERTS[name].annotations.values())
    return ALERTS[name].fired(**dict.fromkeys(re.findall(r"\$labels\.(\w+)", words), "some"))


def _sources() -> set[str]:
    """Alerts that hide others."""
    rules = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())["inhibit_rules"]
    return set(re.findall(r'alertname="(\w+)"', " ".join(str(rule["source_matchers"]) for rule in rules)))


@pytest.mark.timeout(300)
async def test_it_is_said_when_it_is_over(tmp_path: Path, telegram_standin: Standin) -> None:
    alert = ALERTS["TemporalDown"].fired()
    async with (
        admin_of(telegram_standin) as admin,
        running(tmp_path, telegram_standin.url, admin.seller.id) as manager,
    ):
        await manager.post([alert])
        await until(admin.texts, "the alert", ENOUGH_SECONDS)
        await manager.post([{**alert, "endsAt": "2026-01-01T00:00:00Z"}])

        async def is_over() -> bool:
            return (await admin.texts())[-1] == "✅ Over: Temporal is away"

        await until(is_over, "that it is over", ENOUGH_SECONDS)


@pytest.mark.timeout(300)
async def test_the_token_is_not_in_the_log_when_telegram_is_away(tmp_path: Path) -> None:
    async with running(tmp_path, f"http://{LOCALHOST}:{free_port()}", 5) as manager:
        await manager.post([ALERTS["KieKeysNone"].fired()])

        async def complained() -> bool:
            return "connection refused" in manager.log

        await until(complained, "a complaint in the log", ENOUGH_SECONDS)
        assert TOKEN.partition(":")[2] not in manager.log
