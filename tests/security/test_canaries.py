"""Secrets that occur nowhere else are sent through a whole system that is made to fail, and looked for."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from local.postgres import BIN_DIR
from local.processes import LOCALHOST, free_port
from local.stack import Stack, StackPlan
from local.standins import Service
from local.temporal import connect
from serving import temporal_converter
from tests.security import sufferings
from tests.security.canaries import Canaries, command_lines, files_under, found_in, modes, pages
from tests.stories.audit import until_whole
from tests.stories.player import LocalSystem, draw_product, throw_away_folder
from tests.stories.seller import Seller
from tests.stories.world import ADMIN_ID, World

pytestmark = pytest.mark.timeout(1800)  # minutes of orders, on a machine that others use, too


@dataclass
class Suffering:
    """A running system, its secrets, and where its programs show their metrics."""

    stack: Stack
    world: World
    canaries: Canaries
    metrics_ports: list[int]

    async def owner(self, sql: str) -> None:
        connection = await asyncpg.connect(self.stack.owner_database_url)
        await connection.execute(sql)
        await connection.close()

    async def suffer(self) -> None:
        for phase in (sufferings.FIRST, sufferings.TOGETHER, sufferings.LAST):
            await asyncio.gather(*(each(self.world, self.canaries, new_marker()) for each in phase))
        await sufferings.a_bug(self.world, self.owner, "sufferingBug")
        await sufferings.strangers(
            self.stack.environment["PUBLIC_BASE_URL"],
            self.canaries,
            self.stack.environment["TELEGRAM_WEBHOOK_SECRET"],
        )
        await sufferings.servers_die(self.world, self.stack, "sufferingDeath")

    async def places(self) -> dict[str, bytes]:
        metrics = [f"http://{LOCALHOST}:{port}/metrics" for port in self.metrics_ports]
        return {
            **await pages(metrics),
            **command_lines(),
            "database dump": await dump(self.stack.owner_database_url),
            "histories": await self._histories(),
            "chats": await self._chats(),
        }

    async def _histories(self) -> bytes:
        """As the server has them, and as who has the key reads them."""
        client = await connect(self.stack.temporal.address)
        converter = temporal_converter(SecretStr(self.stack.environment.get("TEMPORAL_PAYLOAD_KEY", "")))
        assert converter.payload_codec is not None
        found = bytearray()
        async for execution in client.list_workflows():
            handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
            found += (await handle.fetch_history()).to_json().encode()
        return bytes(found)

    async def _chats(self) -> bytes:
        users = (await self.world.telegram.get("/control/users")).json()["users"]
        paths = [f"/control/users/{each['id']}/{what}" for each in users for what in ("messages", "toasts")]
        return b"\n".join([(await self.world.telegram.get(path)).content for path in paths])


def new_marker() -> str:
    return f"suffering{secrets.token_hex(4)}"


async def dump(url: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        BIN_DIR / "pg_dump", "--inserts", url, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said


def plan_with(canaries: Canaries, folder: Path, *, encrypted: bool) -> StackPlan:
    accounts = {"KIE_API_KEY_1_ACCOUNT": "alpha", "KIE_API_KEY_2_ACCOUNT": "beta"}
    return StackPlan(
        folder=folder,
        environment={
            **canaries.settings(encrypted=encrypted),
            **accounts,
            "TIME_SCALE": "0.02",
            "WELCOME_CREDITS": "3",
            "ADMIN_TG_IDS": str(ADMIN_ID),
        },
        standin_options={Service.KIE: ["--generation-seconds", "1", "--callback-retry-seconds", "0.5"]},
        webhook=True,
    )


@asynccontextmanager
async def suffering(folder: Path, *, encrypted: bool) -> AsyncIterator[Suffering]:
    canaries = Canaries()
    async with Stack(plan_with(canaries, folder / "data", encrypted=encrypted)) as stack:
        canaries.more["database password"] = (stack.folder.path / "postgres" / "password").read_text()
        canaries.more["Telegram webhook secret"] = stack.environment["TELEGRAM_WEBHOOK_SECRET"]
        ports = [await with_metrics(stack, program) for program in ("bot", "worker")]
        world = World(
            stack.chat_url,
            stack.standins[Service.KIE].url,
            stack.standins[Service.OPENAI].url,
            stack.database_url,
            LocalSystem(stack),
            draw_product(folder / "product.jpg"),
        )
        await world.telegram.post("/control/users", json={"id": ADMIN_ID, "first_name": "Admin"})
        await Seller(world.telegram, ADMIN_ID, "Admin").start()
        yield Suffering(stack, world, canaries, ports)
        await world.close()


async def with_metrics(stack: Stack, program: str) -> int:
    """A port for each: they are one setting for all otherwise."""
    port = free_port()
    found = {each.name: each for each in stack.programs}[program]
    await found.stop()
    stack.environment["METRICS_PORT"] = str(port)
    await found.start()
    return port


@pytest.mark.parametrize("encrypted", [True, False], ids=["encrypted", "plain"])
async def test_no_secret_is_anywhere_after_everything_went_wrong(encrypted: bool) -> None:  # noqa: FBT001 - a case
    with throw_away_folder() as folder:
        async with suffering(folder, encrypted=encrypted) as system:
            await system.suffer()
            await until_whole(system.world)
            places = await system.places()
            if encrypted:  # once: these programs know of no payloads
                places |= await sufferings.wrong_starts(system.canaries)
        places |= files_under(folder / "data")
        assert set(modes(folder / "data").values()) == {0o600}
        found = found_in(places, system.canaries)
        assert not found, "\n".join(found)
        assert b"handler" in places["file logs/bot.log"]


def test_a_secret_is_found_in_every_form() -> None:
    canaries = Canaries()
    key = canaries.kie_keys[0]
    forms = (
        key,
        base64.b64encode(f"Bearer {key}".encode()).decode(),
        base64.urlsafe_b64encode(f"xy{key}!".encode()).decode(),
        key.encode().hex().upper(),
    )
    for form in forms:
        (found,) = found_in({"a log": f"said {form} ...".encode()}, canaries)
        assert found.startswith("first KIE key: a log: said ")
    assert found_in({"a log": b"nothing"}, canaries) == []
