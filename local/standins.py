"""Telegram, KIE and OpenAI as programs of our own, for whoever has no credentials at hand."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from local.processes import ChildOwner, free_port, spawn

START_TIMEOUT_SECONDS: Final = 30.0
_LISTENING: Final = "listening on "
_MADE_UP_TOKEN: Final = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # noqa: S105 - known to the stand-in only


class Service(StrEnum):
    """What the bot talks to outside."""

    TELEGRAM = "telegram"
    KIE = "kie"
    OPENAI = "openai"


def services_with_credentials(environment: Mapping[str, str]) -> frozenset[Service]:
    found = set()
    if environment.get("BOT_TOKEN"):
        found.add(Service.TELEGRAM)
    if any(_is_kie_key(name) and value for name, value in environment.items()):
        found.add(Service.KIE)
    if environment.get("OPENAI_API_KEY"):
        found.add(Service.OPENAI)
    return frozenset(found)


def _is_kie_key(name: str) -> bool:
    return name.startswith("KIE_API_KEY") and not name.endswith("_ACCOUNT")


class Standin(ChildOwner):
    def __init__(
        self,
        service: Service,
        *,
        log_path: Path,
        environment: Mapping[str, str],
        port: int = 0,
        options: Sequence[str] = (),
    ) -> None:
        self.service = service
        self.url = ""
        self._log_path = log_path
        self._environment = environment
        self._port = port
        self._options = options
        self.title = f"stand-in for {service}"

    async def start(self) -> None:
        """A restart keeps the port; one that the system gives away could be somebody else's by then."""
        self._port = self._port or free_port()
        seen = self._log_path.stat().st_size if self._log_path.exists() else 0
        command = [sys.executable, "-u", "-m", f"standins.{self.service}", "--port", str(self._port)]
        self.started_child = await spawn(
            self.title,
            [*command, *self._options],
            log_path=self._log_path,
            env=self._environment,
            cwd=str(Path(__file__).parents[1]),
        )
        self.url = await self._listening_url(seen)

    def settings(self) -> dict[str, str]:
        """What the bot and the workers need to talk to it instead of the real one."""
        if self.service is Service.TELEGRAM:
            return {"TELEGRAM_API_BASE": self.url, "TELEGRAM_UPDATES": "polling"}
        if self.service is Service.KIE:
            return {"KIE_API_BASE": self.url, "KIE_UPLOAD_BASE": self.url}
        return {"OPENAI_BASE_URL": f"{self.url}/v1"}

    async def _listening_url(self, seen_bytes: int) -> str:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while self.child.is_running and time.monotonic() < deadline:
            for line in self._log_path.read_bytes()[seen_bytes:].decode(errors="replace").splitlines():
                if line.startswith(_LISTENING):
                    return line.removeprefix(_LISTENING).strip()
            await asyncio.sleep(0.05)
        raise self.child.failed("did not start")


def standin_options(service: Service, folder: Path, more: Sequence[str] = ()) -> list[str]:
    """Chats and files of people outlive a restart, KIE's tasks where `more` has a folder for them."""
    if service is Service.TELEGRAM:
        return ["--data", str(folder / "telegram"), *more]
    if service is Service.KIE and "--keys" not in more:
        return ["--any-key", *more]
    return [*more]


def made_up_credentials(services: frozenset[Service], given: Mapping[str, str]) -> dict[str, str]:
    """For stand-ins, where nothing else was given; they take any."""
    made_up: dict[str, str] = {}
    if Service.TELEGRAM in services:
        made_up["BOT_TOKEN"] = _MADE_UP_TOKEN
    if Service.KIE in services and not any(_is_kie_key(name) for name in given):
        made_up["KIE_API_KEY"] = "local-stand-in-key"
    if Service.OPENAI in services:
        made_up["OPENAI_API_KEY"] = "local-stand-in-key"
    return made_up
