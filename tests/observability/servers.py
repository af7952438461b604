"""Prometheus, Alertmanager and the exporter of PostgreSQL as children: the real programs, on free ports."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import yaml

from local.processes import LOCALHOST, ChildOwner, free_port, spawn
from tests.tools import tool

SeenT = TypeVar("SeenT")

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
RULES: Final = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
START_TIMEOUT_SECONDS: Final = 60.0
_SCRAPE_SECONDS: Final = {"temporal": 10}  # its page is a megabyte


class Server(ChildOwner):
    """Answers HTTP at `url` once it is started."""

    def __init__(self, title: str, folder: Path, ready_path: str) -> None:
        self.title = title
        self.folder = folder
        self.port = free_port()
        self._ready_path = ready_path

    @property
    def url(self) -> str:
        return f"http://{LOCALHOST}:{self.port}"

    @property
    def log_path(self) -> Path:
        return self.folder / f"{self.title}.log"

    async def run(self, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.started_child = await spawn(self.title, command, log_path=self.log_path, env=env)
        await until(self._answers, f"{self.title} answers: {self.log_path}", START_TIMEOUT_SECONDS)

    async def get(self, path: str, **parameters: str) -> Any:
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            answer = await client.get(path, params=parameters)
        return answer.json()

    async def _answers(self) -> bool:
        if not self.child.is_running:
            raise self.child.failed("ended")
        try:
            async with httpx.AsyncClient(base_url=self.url, timeout=5) as client:
                return (await client.get(self._ready_path)).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


class Prometheus(Server):
    """`targets` are the addresses of each job."""

    def __init__(self, folder: Path, targets: Mapping[str, Sequence[str]]) -> None:
        super().__init__("prometheus", folder, "/-/ready")
        self._targets = targets

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "prometheus.yml"
        config.write_text(yaml.safe_dump(self._config()))
        await self.run(
            [
                tool("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address={LOCALHOST}:{self.port}",
                "--log.level=warn",
            ]
        )

    async def query(self, expression: str) -> list[dict[str, Any]]:
        answer = await self.get("/api/v1/query", query=expression)
        assert answer["status"] == "success", (expression, answer)
        data = answer["data"]
        return list(data["result"]) if data["resultType"] == "vector" else [data["result"]]

    async def metric_names(self) -> frozenset[str]:
        return frozenset((await self.get("/api/v1/label/__name__/values"))["data"])

    def _config(self) -> dict[str, Any]:
        targets = {**self._targets, "prometheus": [f"{LOCALHOST}:{self.port}"]}
        return {
            "global": {"evaluation_interval": "2s"},
            "rule_files": [str(path) for path in RULES],
            "scrape_configs": [
                {
                    "job_name": job,
                    "scrape_interval": f"{_SCRAPE_SECONDS.get(job, 2)}s",
                    "scrape_timeout": f"{_SCRAPE_SECONDS.get(job, 2)}s",
                    "static_configs": [{"targets": list(addresses)}],
                }
                for job, addresses in targets.items()
            ],
        }


class PostgresExporter(Server):
    def __init__(self, folder: Path, database_url: str) -> None:
        super().__init__("postgres-exporter", folder, "/metrics")
        self._database_url = database_url

    async def start(self) -> None:
        source = f"{self._database_url}?sslmode=disable"
        address = f"--web.listen-address={LOCALHOST}:{self.port}"
        # Debian's is older than PostgreSQL 18 and does not find the columns of this one.
        command = [tool("prometheus-postgres-exporter"), address, "--no-collector.bgwriter"]
        await self.run(command, {"DATA_SOURCE_NAME": source})


class NodeExporter(Server):
    def __init__(self, folder: Path) -> None:
        super().__init__("node-exporter", folder, "/metrics")

    async def start(self) -> None:
        await self.run(
            [
                tool("prometheus-node-exporter"),
                f"--web.listen-address={LOCALHOST}:{self.port}",
                "--collector.disable-defaults",
                "--collector.filesystem",
            ],
            {},
        )


async def until(check: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """What `check` says, once it says something."""
    deadline = time.monotonic() + seconds
    while not (seen := await check()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.2)
    return seen


async def at_last(check: Callable[[], Awaitable[SeenT]], wanted: SeenT, seconds: float = 30) -> SeenT:
    """What `check` says once that is what is wanted, or in the end: a failure then shows what was seen."""
    deadline = time.monotonic() + seconds
    seen = await check()
    while seen != wanted and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        seen = await check()
    return seen
