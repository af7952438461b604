"""A system that encrypts, with its Web UI and an order in each state an engineer meets."""

import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from temporalio.client import Client

from domain import ids
from local.stack import Stack
from local.standins import Service
from local.temporal import connect
from tests.stories.player import LocalSystem, draw_product, plan_for, throw_away_folder
from tests.stories.seller import Seller, soon
from tests.stories.world import ADMIN_ID, World

TOKEN: Final = "codec-token-of-the-engineers"
KEY: Final = "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()
# Slow enough for a held KIE task to be held while somebody looks at it.
TIME_SCALE: Final = "0.4"
# The provider repeats what the user wrote, as providers do.
REFUSED_WORDS: Final = "grandmother Valentina pours tea"
REFUSED: Final = f"The prompt '{REFUSED_WORDS}' was flagged: photorealistic people are not allowed"
REFUSED_SHOWN: Final = "photorealistic people are not allowed"
BROKEN: Final = "Internal Error, please try again later."


@dataclass
class Showroom:
    """`orders` by what they show: delivered, refused, broken, making, several."""

    stack: Stack
    world: World
    sellers: dict[str, Seller] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)

    @property
    def ui_url(self) -> str:
        return self.stack.temporal.ui_url

    @property
    def codec_url(self) -> str:
        assert self.stack.codec_url is not None
        return self.stack.codec_url

    def order(self, name: str) -> str:
        return ids.order_workflow_id(self.orders[name])

    def video(self, name: str, number: int = 1) -> str:
        return ids.video_workflow_id(ids.video_id(self.orders[name], number))

    async def client(self) -> Client:
        return await connect(self.stack.temporal.address)

    async def fill(self) -> None:
        """One after another: the list is then in this order, newest first."""
        await self.world.kie_outcome("refused", times=-1, fail_code="400", fail_msg=REFUSED)
        await self.world.kie_outcome("broken", times=-1, fail_code="500", fail_msg=BROKEN)
        await self.world.kie_outcome("several", times=1, fail_code="422", fail_msg="'duration' is invalid")
        await self.world.kie_outcome("making", hold=True)
        await self._buy("delivered", "Anna", "turn it slowly in the morning light")
        await self._buy("refused", "Boris", REFUSED_WORDS)
        await self._buy("broken", "Clara", "the lid opens by itself")
        await self._buy("several", "Dora", "steam rises", count=3)
        for name in ("delivered", "refused", "broken", "several"):
            await self.world.facts(self.sellers[name], name)
        await self._buy("making", "Anna", "the camera goes around it")
        await self.world.wait_for_kie_task("making")

    async def hold(self) -> None:
        """One more order, whose photo Telegram does not give out until `let_go`."""
        seller = await self.world.seller("Emil (held)")
        fault = {"where": "getFile", "times": -1, "status": 502, "body": "bad gateway"}
        (await self.world.telegram.post("/control/faults", json=fault)).raise_for_status()
        await self._order("held", seller, "petals fall")

    async def let_go(self) -> None:
        (await self.world.telegram.delete("/control/faults")).raise_for_status()

    async def _buy(self, name: str, person: str, prompt: str, count: int = 1) -> None:
        await self._order(name, await self.world.seller(f"{person} ({name})"), prompt, count)

    async def _order(self, name: str, seller: Seller, prompt: str, count: int = 1) -> None:
        self.sellers[name] = seller
        await seller.buy(self.world.photo, f"{prompt}, {name}", count)
        rows: list[Any] = await soon(lambda: self._orders_of(seller), f"the order {name}")
        self.orders[name] = str(rows[0]["id"])

    async def _orders_of(self, seller: Seller) -> list[Any]:
        return await self.world.rows(
            "select o.id from orders o join users u on u.id = o.user_id where u.tg_user_id = $1", seller.id
        )


@asynccontextmanager
async def open_showroom() -> AsyncIterator[Showroom]:
    with throw_away_folder() as folder:
        plan = plan_for(folder / "data", TEMPORAL_PAYLOAD_KEY=KEY, CODEC_TOKEN=TOKEN, TIME_SCALE=TIME_SCALE)
        async with Stack(replace(plan, web_ui=True)) as stack:
            kie, openai = (stack.standins[service].url for service in (Service.KIE, Service.OPENAI))
            photo = draw_product(folder / "product.jpg")
            world = World(stack.chat_url, kie, openai, stack.database_url, LocalSystem(stack), photo)
            await world.telegram.post("/control/users", json={"id": ADMIN_ID, "first_name": "Admin"})
            await Seller(world.telegram, ADMIN_ID, "Admin").start()
            showroom = Showroom(stack, world)
            await showroom.fill()
            yield showroom
            await world.close()
