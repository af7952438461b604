"""Albums in the hands of several bots: answered once, side by side, and never in silence."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest_asyncio

from bot.albums import AlbumCollector
from bot.app import build_feeder
from bot.parts import BotParts
from bot.pictures import Picture, PictureKind
from domain.clock import utc_now
from store.albums import Album, Albums
from store.database import Database
from tests.bot.chat import Person
from tests.bot.webhook_bots import parts_over

ASKED = "one product, or several"
LONG_AGO = timedelta(minutes=1)


@pytest_asyncio.fixture
async def ann(http: httpx.AsyncClient) -> Person:
    return await Person.join(http, 501)


@pytest_asyncio.fixture
async def parts(database_url: str, telegram_base: str) -> AsyncIterator[BotParts]:
    async with parts_over(database_url, telegram_base) as parts:
        yield parts


def collector_of(parts: BotParts) -> AlbumCollector:
    return AlbumCollector(parts, build_feeder(parts))


async def send_album(database: Database, parts: BotParts, person: Person, *, broken: bool = False) -> None:
    await person.do("text", text="/start")  # nobody reads it, but now the bot may write to him
    await parts.users.register(person.id, "en")
    albums = Albums(database, lambda: utc_now() - LONG_AGO)
    for number in (1, 2):
        picture = Picture(PictureKind.PHOTO, f"file-{number}", f"unique-{number}", 800, 800, 1_000, number)
        read: dict[str, Any] = {"kind": "nothing we know"} if broken else picture.as_json()
        await albums.collect(Album(person.id, "group"), number, read)


async def texts(person: Person) -> list[str]:
    return [each["text"] for each in await person.messages() if each["from_bot"]]


async def test_two_bots_answer_an_album_once(
    database: Database, parts: BotParts, ann: Person, database_url: str, telegram_base: str
) -> None:
    await send_album(database, parts, ann)
    async with parts_over(database_url, telegram_base) as others:
        await asyncio.gather(collector_of(parts).collect(), collector_of(others).collect())
    (said,) = await texts(ann)
    assert ASKED in said


async def test_a_chat_that_is_busy_holds_up_no_other_album(
    database: Database, parts: BotParts, ann: Person, http: httpx.AsyncClient
) -> None:
    bob = await Person.join(http, 502)
    await send_album(database, parts, ann)
    await send_album(database, parts, bob)
    feeder = build_feeder(parts)
    async with feeder.alone_with(ann.id):
        collecting = asyncio.create_task(AlbumCollector(parts, feeder).collect())
        await bob.until(ASKED)
        assert await texts(ann) == []
    await collecting
    assert len(await texts(ann)) == len(await texts(bob)) == 1


async def test_an_album_that_cannot_be_read_is_apologised_for_once(
    database: Database, parts: BotParts, ann: Person
) -> None:
    await send_album(database, parts, ann, broken=True)
    for _ in range(2):
        await collector_of(parts).collect()
    (said,) = await texts(ann)
    assert "something broke on our side" in said
