"""Deeds of administrators: each once, and none that is not written down."""

import asyncio
from typing import Any

import pytest

from domain.deeds import Deed, DeedKind
from store.audit import AuditLog, TooMany
from store.database import Database
from store.ledger import Ledger
from store.switches import MAINTENANCE
from tests.fixtures.kie_rows import HandClock, add_user

ADMIN, OTHER_ADMIN, USER = 900, 901, 7


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def audit(database: Database, clock: HandClock) -> AuditLog:
    return AuditLog(database, clock)


def grant(credits: int, kind: DeedKind = DeedKind.GRANT) -> Deed:  # noqa: A002 - the word of the domain
    return Deed(kind=kind, tg_user_id=USER, credits=credits, reason="late video")


async def actions(database: Database) -> list[tuple[Any, ...]]:
    async with database.connection() as connection:
        rows = await connection.fetch("select * from admin_actions order by id")
    return [(row["admin_tg_id"], row["action"], row["target"], row["details"]) for row in rows]


async def available(database: Database, clock: HandClock) -> int:
    return (await Ledger(database, clock).balance(USER)).available


async def test_a_double_yes_is_one_deed(audit: AuditLog, database: Database, clock: HandClock) -> None:
    await add_user(database, USER)
    deed_id = await audit.ask(ADMIN, grant(5))
    assert await actions(database) == []
    done = await asyncio.gather(*(audit.confirm(ADMIN, deed_id) for _ in range(5)))
    assert sorted(each.first for each in done if each) == [False] * 4 + [True]
    assert {each.balance.available for each in done if each} == {5}
    assert await available(database, clock) == 5
    assert await actions(database) == [(ADMIN, "grant", "7", {"credits": 5, "reason": "late video"})]


async def test_nothing_is_taken_that_is_not_there(
    audit: AuditLog, database: Database, clock: HandClock
) -> None:
    await add_user(database, USER)
    deed_id = await audit.ask(ADMIN, grant(3, DeedKind.TAKE))
    with pytest.raises(TooMany):
        await audit.confirm(ADMIN, deed_id)
    assert await actions(database) == []
    await Ledger(database, clock).grant(USER, 4, "", "g")
    done = await audit.confirm(ADMIN, deed_id)
    assert done is not None
    assert done.balance.available == 1


async def test_only_who_was_asked_answers(audit: AuditLog, database: Database, clock: HandClock) -> None:
    await add_user(database, USER)
    deed_id = await audit.ask(ADMIN, grant(5))
    assert await audit.confirm(OTHER_ADMIN, deed_id) is None
    assert await audit.confirm(ADMIN, "no such deed") is None
    assert not await audit.decline(OTHER_ADMIN, deed_id)
    assert await available(database, clock) == 0


async def test_no_is_final(audit: AuditLog, database: Database) -> None:
    await add_user(database, USER)
    deed_id = await audit.ask(ADMIN, grant(5))
    assert await audit.decline(ADMIN, deed_id)
    assert not await audit.decline(ADMIN, deed_id)
    assert await audit.confirm(ADMIN, deed_id) is None
    assert await actions(database) == []


async def test_a_card_of_yesterday_does_nothing(
    audit: AuditLog, database: Database, clock: HandClock
) -> None:
    await add_user(database, USER)
    deed_id = await audit.ask(ADMIN, grant(5))
    clock.forward(3_601)
    assert await audit.confirm(ADMIN, deed_id) is None


async def test_a_switch_is_written_down_when_it_moves(audit: AuditLog, database: Database) -> None:
    assert await audit.switch(ADMIN, MAINTENANCE, is_on=True)
    assert not await audit.switch(ADMIN, MAINTENANCE, is_on=True)
    await audit.looked(ADMIN, USER)
    assert await actions(database) == [
        (ADMIN, "switch", MAINTENANCE, {"is_on": True}),
        (ADMIN, "look", "7", {}),
    ]
