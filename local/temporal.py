"""Temporal's development server with its Web UI, on a SQLite file that survives restarts."""

import asyncio
import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from local.processes import LOCALHOST, ChildFailed, ChildOwner, beside_python, free_port, spawn
from workflows.namespace import prepare_namespace
from workflows.registry import DATA_CONVERTER
from workflows.search_attributes import ALL_SEARCH_ATTRIBUTES

NAMESPACE: Final = "default"
START_TIMEOUT_SECONDS: Final = 60.0
_CONNECT_TIMEOUT: Final = timedelta(seconds=5)
_START_TRIES: Final = 3
_PORT_TAKEN: Final = "address already in use"

_TYPE_NAMES: Final = {SearchAttributeIndexedValueType.KEYWORD_LIST: "KeywordList"}
_SEARCH_ATTRIBUTES: Final = tuple(
    f"{key.name}={_TYPE_NAMES.get(key.indexed_value_type, key.indexed_value_type.name.title())}"
    for key in ALL_SEARCH_ATTRIBUTES
)
_DYNAMIC_CONFIG: Final = (
    "matching.enableFairness=true",
    "matching.numTaskqueueReadPartitions=1",  # fairness and priority hold within a partition
    "matching.numTaskqueueWritePartitions=1",
)
# The defaults sync every write twice: a third of the throughput, and no safer against a killed process.
_SQLITE_PRAGMAS: Final = ("journal_mode=wal", "synchronous=1")


class TemporalServer(ChildOwner):
    title = "Temporal"

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        ui_port: int | None = 0,
        codec_url: str | None = None,
    ) -> None:
        """Ports of 0 become free ones; `ui_port` None is a server without Web UI."""
        self.folder = folder.resolve()
        self.port = port
        self.ui_port = ui_port
        self.metrics_port = 0  # it always has metrics; a restart keeps the port
        self._codec_url = codec_url

    @property
    def metrics_url(self) -> str:
        return f"http://{LOCALHOST}:{self.metrics_port}/metrics"

    @property
    def address(self) -> str:
        return f"{LOCALHOST}:{self.port}"

    @property
    def ui_url(self) -> str:
        """Meaningless without a Web UI."""
        return f"http://{LOCALHOST}:{self.ui_port or 0}"

    async def start(self) -> None:
        """Ready for the first workflow when this returns."""
        for attempt in range(_START_TRIES):
            port, ui_port = self.port or free_port(), self.ui_port or free_port()
            if await self._try_start(port, ui_port):
                self.port, self.ui_port = port, ui_port if self.ui_port is not None else None
                return
            if attempt + 1 == _START_TRIES or _PORT_TAKEN not in self.child.log_tail():
                raise self.child.failed("did not start")
            self.metrics_port = 0

    async def _try_start(self, port: int, ui_port: int) -> bool:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.metrics_port = self.metrics_port or free_port()
        self.started_child = await spawn(
            "Temporal",
            self._command(port, ui_port),
            log_path=self.folder / "temporal.log",
            cwd=str(self.folder),
        )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while self.started_child.is_running and time.monotonic() < deadline:
            if await _answers(port) and await _is_prepared(port):
                return True
            await asyncio.sleep(0.1)
        return False

    def _command(self, port: int, ui_port: int) -> list[str]:
        return [
            _program(),
            *("server", "start-dev", "--ip", LOCALHOST, "--port", str(port)),
            *("--log-level", "warn", "--namespace", NAMESPACE),
            *("--metrics-port", str(self.metrics_port)),
            *(("--headless",) if self.ui_port is None else self._ui_options(ui_port)),
            *("--db-filename", str(self.folder / "temporal.sqlite")),
            *_repeated("--sqlite-pragma", _SQLITE_PRAGMAS),
            *_repeated("--search-attribute", _SEARCH_ATTRIBUTES),
            *_repeated("--dynamic-config-value", _DYNAMIC_CONFIG),
        ]

    def _ui_options(self, ui_port: int) -> list[str]:
        codec = () if self._codec_url is None else ("--ui-codec-endpoint", self._codec_url)
        return ["--ui-port", str(ui_port), "--ui-disable-news-fetch", *codec]


def _program() -> str:
    found = beside_python("temporal") or shutil.which("temporal")
    if found is None:
        raise ChildFailed("Temporal's program is missing: run make install")
    return found


def _repeated(option: str, values: tuple[str, ...]) -> list[str]:
    return [argument for value in values for argument in (option, value)]


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(LOCALHOST, port), timeout=2)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _is_prepared(port: int) -> bool:
    try:
        client = await connect(f"{LOCALHOST}:{port}")
        await prepare_namespace(client)
    except (RPCError, RuntimeError):  # RuntimeError: the SDK's word for "cannot connect"
        return False
    return True


async def connect(
    address: str, namespace: str = NAMESPACE, converter: DataConverter = DATA_CONVERTER
) -> Client:
    return await Client.connect(
        address, namespace=namespace, data_converter=converter, connect_timeout=_CONNECT_TIMEOUT
    )
