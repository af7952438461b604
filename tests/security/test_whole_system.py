"""On a whole system: an obeyed attacker among honest sellers, and a seller who is forgotten afterwards."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from local.stack import Stack
from local.standins import Service
from local.temporal import connect
from tests.security.attacks import ATTACKS, CANARY, Attack
from tests.security.tables import dump
from tests.stories.player import LocalSystem, draw_product, plan_for, throw_away_folder
from tests.stories.seller import Message, Seller, soon
from tests.stories.world import World

pytestmark = pytest.mark.timeout(300)

_OF_OURS = re.compile(r"You write shot descriptions|photo_status|shape, proportions, colours")


@pytest_asyncio.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    with throw_away_folder() as folder:
        async with Stack(plan_for(folder / "data")) as stack:
            yield stack


@pytest_asyncio.fixture(scope="module")
async def world(stack: Stack) -> AsyncIterator[World]:
    with throw_away_folder() as folder:
        world = World(
            stack.chat_url,
            stack.standins[Service.KIE].url,
            stack.standins[Service.OPENAI].url,
            stack.database_url,
            LocalSystem(stack),
            draw_product(folder / "product.jpg"),
        )
        yield world
        await world.close()


def attack(name: str) -> Attack:
    return next(each for each in ATTACKS if each.name == name)


async def buys_with_gpt(world: World, seller: Seller, words: str) -> None:
    await seller.send_photo(world.photo)
    await seller.press("UGC")
    product = await seller.wait_for_button("Skip")
    await seller.say(words)
    await seller.press("Skip", await seller.wait_for_button("Skip", after=product.id))
    await seller.press("1", await seller.wait_for_button("1", after=product.id))
    await seller.press("Generate")


def said_by_us(messages: list[Message], words: str) -> str:
    """All the bot ever showed, without the seller's own words on his own card."""
    shown = [version for each in messages if each.from_bot for version in (each.text, *each.versions)]
    return "\n".join(shown).replace(words, "")


@pytest.mark.parametrize("name", ["a link", "the system prompt", "a refusal with a message", "a tool"])
async def test_an_obeyed_attacker_gets_his_credits_back_and_nothing_else(world: World, name: str) -> None:
    words = attack(name).words
    marker = f"{CANARY}-{name.rsplit(maxsplit=1)[-1]}"
    (await world.openai.post("/control/obedience", json={"obeys": True})).raise_for_status()
    seller, honest = await world.seller(marker), await world.seller(f"honest-{name}")
    await asyncio.gather(
        buys_with_gpt(world, seller, words), buys_with_gpt(world, honest, f"A blue mug {honest.id}")
    )
    await honest.wait_for_videos(1)
    facts = await world.facts(seller, CANARY)
    await seller.wait_for_text("3 credits")
    assert (facts.available, facts.reserved, facts.captured, facts.videos) == (3, 0, 0, 0)
    assert facts.kie_tasks == 0
    prompts = [task["prompt"] for task in (await world.kie.get("/control/tasks")).json()["tasks"]]
    assert not [each for each in prompts if _OF_OURS.search(each)]
    told = said_by_us(await seller.messages(), words)
    assert CANARY not in told
    assert not _OF_OURS.search(told)
    assert "http" not in told


async def test_a_seller_who_is_forgotten_is_nowhere(stack: Stack, world: World) -> None:
    """In no table, no file, no workflow; and nobody else is touched."""
    (await world.openai.post("/control/obedience", json={"obeys": False})).raise_for_status()
    marker = f"secretmug{secrets.token_hex(4)}"
    seller, other = await world.seller("Goes"), await world.seller("Stays")
    await seller.buy(world.photo, f"{marker} own", 1)
    await seller.wait_for_videos(1)
    await buys_with_gpt(world, other, "A red mug")
    await other.wait_for_videos(1)
    await world.facts(seller, marker)
    media = stack.folder.path / "media"
    (order_id,) = await orders_of(world, seller)
    assert files_of(media, order_id)
    await seller.say("/forget")
    await seller.press("Yes, delete everything")
    await seller.wait_for_text("Your data is deleted")
    await soon(lambda: erased(world), "everything elsewhere is deleted")
    dumped = await dump(stack.owner_database_url)
    assert str(seller.id).encode() not in dumped
    assert marker.encode() not in dumped
    assert str(other.id).encode() in dumped
    assert files_of(media, order_id) == []
    client = await connect(stack.temporal.address)
    assert (await client.count_workflows(f'WorkflowId STARTS_WITH "order-{order_id}"')).count == 0
    assert (await client.count_workflows(f"TgUserId = {seller.id}")).count == 0
    assert (await client.count_workflows(f"TgUserId = {other.id}")).count > 0
    for file_id in file_ids(await seller.messages()):
        assert file_id.encode() not in dumped


async def orders_of(world: World, seller: Seller) -> list[str]:
    query = "select o.id from orders o join users u on u.id = o.user_id where u.tg_user_id = $1"
    return [row["id"] for row in await world.rows(query, seller.id)]


def files_of(folder: Path, order_id: str) -> list[str]:
    return [str(path) for path in folder.rglob("*") if order_id in str(path) and path.is_file()]


def file_ids(messages: list[Message]) -> list[str]:
    return [each.file_unique_id for each in messages if each.file_unique_id]


async def erased(world: World) -> bool:
    return not await world.rows("select 1 from forgotten_people")
