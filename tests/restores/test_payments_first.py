"""After a restore nobody is served on books that may lack what he has paid: Telegram's are read first."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from local.stack import Stack
from tests.deploys.system import system
from tests.restores.scenes import backed_up, put_back
from tests.stories.seller import Seller, soon
from tests.stories.world import World

pytestmark = pytest.mark.timeout(400)

QUIET_SECONDS = 6.0
BAD_GATEWAY = {"times": -1, "status": 502, "body": "<html>Bad Gateway</html>"}


@dataclass
class Shop:
    """Ann has paid for 5 credits since the moment that was restored; the bot was not started since."""

    stack: Stack
    world: World
    ann: Seller

    async def telegram_away(self, where: str) -> None:
        orders = {"where": where, **BAD_GATEWAY}
        (await self.world.telegram.post("/control/faults", json=orders)).raise_for_status()

    async def telegram_back(self) -> None:
        (await self.world.telegram.delete("/control/faults")).raise_for_status()

    async def asked(self, method: str, since: int) -> int:
        query = {"where": method, "since": str(since)}
        journal = await self.world.telegram.get("/control/journal", params=query)
        return len(journal.json()["entries"])

    async def newest_call(self) -> int:
        journal: dict[str, Any] = (await self.world.telegram.get("/control/journal")).json()
        return int(journal["last"])

    async def credits(self) -> int:
        (row,) = await self.world.rows(
            "select available from wallets w join users u on u.id = w.user_id where u.tg_user_id = $1",
            self.ann.id,
        )
        return int(row["available"])

    async def unanswered_in_row(self) -> int:
        rows = await self.world.rows("select unreachable_in_row from services where name = 'telegram'")
        return int(rows[0]["unreachable_in_row"]) if rows else 0


@pytest_asyncio.fixture
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with system(workers=1) as (stack, place):
        ann = await place.world.seller("ann")
        storage = await backed_up(stack, tmp_path_factory.mktemp("backup"))
        for label in ("My balance", "Top up", "5 credits"):
            await ann.press(label)
        await ann.pay()
        await ann.wait_for_text("Added", "8 credits")
        await put_back(stack, storage)
        yield Shop(stack, place.world, ann)


@pytest.mark.parametrize("away", ["getStarTransactions", "*"], ids=["of the books", "altogether"])
async def test_nothing_is_answered_before_the_payments_were_read(shop: Shop, away: str) -> None:
    ann, before = shop.ann, await shop.newest_call()
    assert await shop.credits() == 3
    await shop.telegram_away(away)
    await shop.stack.bot.launch()
    await ann.say("/start")
    asked = await ann.last_id()
    await soon(lambda: shop.asked("getStarTransactions", before), "the books asked for")
    await asyncio.sleep(QUIET_SECONDS)
    assert await shop.asked("getUpdates", before) == 0
    assert await ann.last_id() == asked
    assert await shop.credits() == 3
    assert await shop.unanswered_in_row() > 0
    assert "payments since the database was restored" in shop.stack.bot.child.log_tail()

    await shop.telegram_back()
    await shop.stack.bot.until_ready()
    booked = await ann.wait_for_text("Added", "8 credits", after=asked)
    menu = await ann.wait_for_button("My balance", after=booked.id)
    assert await shop.credits() == 8
    assert menu.id > booked.id > asked
    assert await shop.unanswered_in_row() == 0
