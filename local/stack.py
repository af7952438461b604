"""The whole system on one machine: servers, stand-ins, a bot, workers. Smoke and the tests drive it too."""

import asyncio
import os
import secrets
from collections import ChainMap
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final, Self

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.service import RPCError

from clients.payload_codec import CannotDecrypt
from local.balancer import balancing
from local.env_file import env_file
from local.folder import DataFolder
from local.postgres import PROGRAM_LOGIN, PostgresServer
from local.processes import LOCALHOST, Child, ChildFailed, ChildOwner, free_port, is_port_taken
from local.programs import Program
from local.progress import Progress
from local.standins import Service, Standin, made_up_credentials, standin_options
from local.temporal import NAMESPACE, TemporalServer, connect
from serving import temporal_converter
from store.migrate import CannotMigrate, migrate
from web.codec import CODEC_PATH
from workflows.namespace import WrongAttributes
from workflows.start import ensure_schedules

DATABASE: Final = "neurocards"

# Temporal's client lets go of Python, or the process sometimes aborts at its very end.
_LAST_PAUSE_SECONDS: Final = 0.5

# A child sees these of our environment and what the plan says, never a setting by accident.
_INHERITED: Final = (
    *("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ", "TERM"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"),
)


class PortTaken(Exception):
    """One sentence: the port, what it is for, and how to choose another."""


@dataclass(frozen=True, slots=True)
class Ports:
    """0 takes a free one."""

    chat: int = 0
    web: int = 0
    temporal: int = 0
    temporal_ui: int = 0
    postgres: int = 0
    kie: int = 0
    openai: int = 0

    def check(self) -> None:
        """Raise PortTaken for the first that cannot be had."""
        uses: dict[int, str] = {}
        for port_field in fields(self):
            port = getattr(self, port_field.name)
            name = f"{port_field.name.upper()}_PORT"
            other = uses.setdefault(port, name)
            if port and other != name:
                raise PortTaken(f"{other} and {name} are both {port}; choose another: {name}={port + 100}")
            if port and is_port_taken(port):
                use = _PORT_USES[port_field.name]
                raise PortTaken(
                    f"port {port} ({use}) is taken; free it, or choose another: {name}={port + 100}"
                )


_PORT_USES: Final = {
    "chat": "chat page",
    "web": "web server of the bot",
    "temporal": "Temporal",
    "temporal_ui": "Temporal Web UI",
    "postgres": "PostgreSQL",
    "kie": "stand-in for KIE",
    "openai": "stand-in for OpenAI",
}
_STANDIN_PORTS: Final = {Service.TELEGRAM: "chat", Service.KIE: "kie", Service.OPENAI: "openai"}


@dataclass(frozen=True, slots=True)
class StackPlan:
    """`environment` holds settings; a service in `real` is talked to with them, the others get a stand-in."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    real: frozenset[Service] = frozenset()
    ports: Ports = Ports()
    worker_roles: Sequence[str] = ("",)  # one worker each; "" serves all roles
    bot_count: int = 1  # several share one address
    webhook: bool = False  # else the first bot that asks polls, and the others wait
    standin_options: Mapping[Service, Sequence[str]] = field(default_factory=dict)
    web_ui: bool = False
    durable: bool = True
    metrics: bool = False  # of bots and workers, each at its own free port


class Stack:
    """Started and stopped as a whole; each child can be killed and restarted by itself."""

    def __init__(self, plan: StackPlan, progress: Progress | None = None) -> None:
        self.plan = plan
        self.folder = DataFolder(plan.folder)
        path = self.folder.path
        self.postgres = PostgresServer(path / "postgres", port=plan.ports.postgres, durable=plan.durable)
        self.web_port = plan.ports.web or free_port()
        self.temporal = TemporalServer(
            path / "temporal",
            port=plan.ports.temporal,
            ui_port=plan.ports.temporal_ui if plan.web_ui else None,
            codec_url=self.codec_url,
        )
        self.standins = {service: self._standin(service) for service in Service if service not in plan.real}
        self._bot_ports: list[int] = []
        self.environment: dict[str, str] = {}  # filled when the servers' addresses are known
        self.bots = [self._bot(number) for number in range(1, plan.bot_count + 1)]
        self._balancing = AsyncExitStack()
        self.workers = [
            self._program(
                f"worker-{number}" if len(plan.worker_roles) > 1 else "worker", "worker_main.py", roles
            )
            for number, roles in enumerate(plan.worker_roles, start=1)
        ]
        self._progress = progress or Progress()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def bot(self) -> Program:
        return self.bots[0]

    @property
    def chat_url(self) -> str:
        return self.standins[Service.TELEGRAM].url

    @property
    def codec_url(self) -> str | None:
        """Where an engineer signs in and the Web UI asks; None while payloads are plain."""
        given = self.plan.environment
        is_offered = given.get("TEMPORAL_PAYLOAD_KEY") and given.get("CODEC_TOKEN")
        return f"http://{LOCALHOST}:{self.web_port}{CODEC_PATH}" if is_offered else None

    @property
    def database_url(self) -> str:
        """As the programs log in."""
        return self.postgres.program_url(DATABASE)

    @property
    def owner_database_url(self) -> str:
        return self.postgres.url(DATABASE)

    @property
    def env_path(self) -> Path:
        """For commands beside it; where everything listens."""
        return self.folder.path / "env"

    @property
    def programs(self) -> list[Program]:
        return [*self.bots, *self.workers]

    async def start(self) -> None:
        """All serving when this returns. Raise PortTaken, FolderUnusable, ChildFailed; then nothing runs."""
        self.plan.ports.check()
        self.folder.take()
        async with AsyncExitStack() as on_failure:
            on_failure.push_async_callback(self.stop)
            await self._start_servers()
            self.environment.update(self._settings())
            self.folder.keep(self.env_path.name, env_file(str(self.env_path), self._beside()))
            await self._balance()
            await self._together({program.name: program.start for program in self.programs})
            on_failure.pop_all()

    async def stop(self) -> None:
        """First who takes in work, then who does it, then what they stand on."""
        await _all(*(program.stop for program in self.programs))
        await self._balancing.aclose()
        await _all(*(standin.stop for standin in self.standins.values()), self.temporal.stop)
        await self.postgres.stop()
        self.folder.release()
        await asyncio.sleep(_LAST_PAUSE_SECONDS)

    def note_children(self) -> None:
        """After a restart of one of them."""
        owners: list[ChildOwner] = [*self.programs, *self.standins.values(), self.temporal, self.postgres]
        children = [owner.started_child for owner in owners if owner.started_child is not None]
        self.folder.note([child.pid for child in children if child.is_running])

    def server_children(self) -> list[Child]:
        """Those that are not simply started again when they end."""
        return [
            self.postgres.child,
            self.temporal.child,
            *(standin.child for standin in self.standins.values()),
        ]

    async def _start_servers(self) -> None:
        titles = {f"stand-in for {service}": standin.start for service, standin in self.standins.items()}
        servers = {"PostgreSQL": self._start_postgres, "Temporal": self._start_temporal}
        await self._together({**servers, **titles})

    async def _start_postgres(self) -> None:
        await self.postgres.start()
        await self.postgres.ensure_database(DATABASE)
        try:
            await migrate(self.owner_database_url, PROGRAM_LOGIN)
        except CannotMigrate as error:
            raise self.postgres.child.refused(f"did not bring its tables up to date: {error}") from None

    async def _start_temporal(self) -> None:
        try:
            await self.temporal.start()
            await self._ensure_schedules(await self._temporal_client())
        except WrongAttributes as wrong:
            raise ChildFailed(str(wrong)) from None

    async def _temporal_client(self) -> Client:
        converter = temporal_converter(SecretStr(self.plan.environment.get("TEMPORAL_PAYLOAD_KEY", "")))
        try:
            return await connect(self.temporal.address, converter=converter)
        except RuntimeError:  # the SDK's word for "cannot connect"
            raise self.temporal.child.failed("does not answer any more") from None

    async def _ensure_schedules(self, client: Client) -> None:
        """Raise ChildFailed, also where they were made with another payload key."""
        try:
            await ensure_schedules(client, float(self.plan.environment.get("TIME_SCALE", "1")))
        except CannotDecrypt as hidden:
            raise ChildFailed(hidden.what_to_do) from None
        except RPCError as error:
            raise self.temporal.child.refused(f"did not make its schedules ({error.status.name})") from None

    async def _together(self, starts: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        """The first failure is the one to tell; nothing is left half started behind our back."""
        results = await asyncio.gather(
            *(self._step(title, start) for title, start in starts.items()), return_exceptions=True
        )
        self.note_children()
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _step(self, title: str, start: Callable[[], Awaitable[None]]) -> None:
        with self._progress.step(title):
            await start()

    def _standin(self, service: Service) -> Standin:
        return Standin(
            service,
            log_path=self.folder.path / "logs" / f"{service}.log",
            environment=_inherited(),
            port=getattr(self.plan.ports, _STANDIN_PORTS[service]),
            options=standin_options(service, self.folder.path, self.plan.standin_options.get(service, ())),
        )

    def _bot(self, number: int) -> Program:
        """One bot has the address itself; several have it in front of them, and a port each."""
        if self.plan.bot_count == 1:
            return self._program("bot", "bot_main.py")
        self._bot_ports.append(free_port())
        return self._program(
            f"bot-{number}", "bot_main.py", own_settings={"WEB_PORT": str(self._bot_ports[-1])}
        )

    async def _balance(self) -> None:
        origins = [f"http://{LOCALHOST}:{port}" for port in self._bot_ports]
        if origins:
            await self._balancing.enter_async_context(balancing(origins, self.web_port))

    def _program(
        self, name: str, file: str, roles: str = "", own_settings: Mapping[str, str] | None = None
    ) -> Program:
        return Program(
            name,
            [file, *(("--role", roles) if roles else ())],
            folder=self.folder.path,
            environment=ChainMap(dict(own_settings or {}), self.environment),
            metrics_port=free_port() if self.plan.metrics else 0,
        )

    def _settings(self) -> dict[str, str]:
        standins = frozenset(self.standins)
        return {
            **_inherited(),
            **self._defaults(),
            **made_up_credentials(standins, self.plan.environment),
            **self.plan.environment,
            **self._fixed(),
        }

    def _defaults(self) -> dict[str, str]:
        """What the plan may say otherwise."""
        callbacks = (
            {"PUBLIC_BASE_URL": f"http://{LOCALHOST}:{self.web_port}"}
            if Service.KIE in self.standins or self.plan.webhook
            else {}
        )
        return {**callbacks, "KIE_WEBHOOK_SECRET": self._webhook_secret()}

    def _fixed(self) -> dict[str, str]:
        """Our own servers, whatever `.env` says of others."""
        fixed = {
            "ENV_FILE": "",
            "NO_PROXY": f"{LOCALHOST},localhost",
            "DATABASE_URL": self.database_url,
            "DATABASE_OWNER_URL": "",
            "TEMPORAL_ADDRESS": self.temporal.address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "TEMPORAL_UI_URL": self.temporal.ui_url,
            "MEDIA_URL": (self.folder.path / "media").as_uri(),
            "WEB_HOST": LOCALHOST,
            "WEB_PORT": str(self.web_port),
            "METRICS_PORT": "0",  # one port for several processes cannot be: each program says its own
        }
        for standin in self.standins.values():
            fixed.update(standin.settings())
        if self.plan.webhook:
            fixed.update(TELEGRAM_UPDATES="webhook", TELEGRAM_WEBHOOK_SECRET=self._webhook_secret())
        return fixed

    def _beside(self) -> dict[str, str]:
        """For commands: what the programs have, the tables' owner, and the codec for Temporal's own."""
        token = self.environment.get("CODEC_TOKEN")
        codec = {"TEMPORAL_CODEC_ENDPOINT": self.codec_url or "", "TEMPORAL_CODEC_AUTH": f"Bearer {token}"}
        return {
            **self.environment,
            "DATABASE_OWNER_URL": self.owner_database_url,
            **(codec if self.codec_url else {}),
        }

    def _webhook_secret(self) -> str:
        """Kept, so that a callback of an order from before the restart still fits."""
        path = self.folder.path / "webhook_secret"
        if not path.exists():
            self.folder.keep(path.name, secrets.token_urlsafe(24))
        return path.read_text()


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


async def _all(*actions: Callable[[], Awaitable[object]]) -> None:
    await asyncio.gather(*(action() for action in actions))
