"""An order to reset, with what Telegram, KIE and the ledger each have on record of it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client

from domain import ids
from tests.histories.recordings import order_id_on
from tests.stories.seller import Message, NotSeen, Seller, soon
from tests.stories.world import World

WELCOME_CREDITS = 3


@dataclass(frozen=True)
class Place:
    client: Client
    world: World


@dataclass(frozen=True)
class Bought:
    """The only order of its seller."""

    place: Place
    seller: Seller
    marker: str
    card_id: int
    order_id: str
    video_count: int

    @property
    def order(self) -> str:
        return ids.order_workflow_id(self.order_id)

    @property
    def videos(self) -> list[str]:
        numbers = range(1, self.video_count + 1)
        return [ids.video_workflow_id(ids.video_id(self.order_id, number)) for number in numbers]

    @property
    def workflows(self) -> list[str]:
        return [self.order, *self.videos]

    async def records(self) -> dict[str, Any]:
        """Every version of every message, every KIE task, every entry: what a reset must not change."""
        world = self.place.world
        chat = await world.telegram.get(f"/control/users/{self.seller.id}/messages")
        return {
            "chat": chat.json(),
            "KIE": [(task["id"], task["state"]) for task in await world.kie_tasks(self.marker)],
            "ledger": await self._entries(),
        }

    async def _entries(self) -> list[str]:
        rows = await self.place.world.rows(
            "select e.kind || ' ' || e.cause as entry from credit_entries e join users u on u.id = e.user_id"
            " where u.tg_user_id = $1 order by e.id",
            self.seller.id,
        )
        return [row["entry"] for row in rows]


async def confirm_card(place: Place, seller: Seller, marker: str, count: int, *, written: bool) -> Message:
    """`written`: GPT writes the scripts; else it is the seller's own prompt."""
    world = place.world
    if not written:
        return await seller.order(world.photo, f"{marker} turns", count)
    await seller.send_photo(world.photo)
    await seller.press("UGC")
    question = await seller.wait_for_button("Skip")
    await seller.say(f"A mug {marker}")
    await seller.press("Skip", await seller.wait_for_button("Skip", after=question.id))
    await seller.press(str(count))
    return await seller.wait_for_button("Generate")


def bought_with(place: Place, seller: Seller, marker: str, card: Message, count: int = 1) -> Bought:
    """Generate may not be pressed yet."""
    return Bought(place, seller, marker, card.id, order_id_on(card), count)


@dataclass(frozen=True)
class Fate:
    """How an order has to end, and what the one message that rang has to say."""

    says: str
    delivered: int = 0
    refunded: int = 0
    kie_tasks: int = 0

    @property
    def facts(self) -> str:
        left = WELCOME_CREDITS - self.delivered
        return (
            f"{self.delivered} seen, 1 orders, {self.delivered} captured, {self.refunded} refunded, "
            f"balance {left}+0, {self.kie_tasks} KIE tasks"
        )


async def wrong_with(bought: Bought, fate: Fate, calm_seconds: float = 1.0) -> list[str]:
    """After a pause in which what was held, or comes once too often, has its effect."""
    with suppress(NotSeen):  # who settled it tells it a moment later
        await soon(lambda: _rang(bought), "the phone rings")
    await asyncio.sleep(calm_seconds)
    facts = str(await bought.place.world.facts(bought.seller, bought.marker))
    rang = await _rang(bought)
    wrong = [] if facts == fate.facts else [f"{facts} instead of {fate.facts}"]
    if len(rang) != 1 or fate.says not in rang[0].lower():
        wrong.append(f"the phone rang with {rang}")
    return [f"{each} ({bought.order})" for each in wrong]


async def _rang(bought: Bought) -> list[str]:
    messages = await bought.seller.messages()
    return [each.text for each in messages if each.from_bot and each.rang and each.id > bought.card_id]
