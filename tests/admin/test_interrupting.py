"""Ctrl-C and SIGTERM: at a question, at a server that hangs, in the middle of a restore."""

import asyncio
import signal

import pytest

from store.database import Database
from tests.admin.operator import USER, Operator, Shop
from tests.admin.postgres_wire import PostgresWire
from tests.admin.terminal import code_of, terminal
from tests.run.programs import START_SECONDS_MAX, started
from tests.stories.seller import soon

pytestmark = pytest.mark.timeout(600)  # three times as long as a program may take to start, and more

GRANT = ("grant", str(USER), "5", "a present", "--by", "olga")
CTRL_C = "\x03"


async def test_ctrl_c_at_a_question_changes_nothing(shop: Shop, operator: Operator) -> None:
    with terminal() as at:
        process = await at.runs(*GRANT, settings=operator.settings)
        await at.shows("Give 5 credits")
        process.send_signal(signal.SIGINT)
        await at.shows("nothing was changed")
        assert await code_of(process) == 130
    assert await shop.deeds() == []


async def test_sigterm_at_a_question_changes_nothing(shop: Shop, operator: Operator) -> None:
    with terminal() as at:
        process = await at.runs(*GRANT, settings=operator.settings)
        await at.shows("Give 5 credits")
        process.terminate()
        await at.shows("nothing was changed")
        assert await code_of(process) == 130
    assert await shop.deeds() == []


@pytest.mark.parametrize(("typed", "code", "deeds"), [("y\n", 0, 1), ("\n", 1, 0), ("\x04", 1, 0)])
async def test_only_a_yes_is_a_yes(shop: Shop, operator: Operator, typed: str, code: int, deeds: int) -> None:
    with terminal() as at:
        process = await at.runs(*GRANT, settings=operator.settings)
        await at.shows("[y/N]: ")
        at.types(typed)
        await at.shows("now 5 available" if deeds else "nothing was changed")
        assert await code_of(process) == code
    assert len(await shop.deeds()) == deeds


async def test_a_server_that_hangs_is_left(operator: Operator) -> None:
    """It took the connection, and says nothing."""
    async with PostgresWire(operator.settings["DATABASE_URL"]) as wire:
        wire.silent = True
        process = await started(
            "admin_main.py", "stuck", settings={**operator.settings, "DATABASE_URL": wire.url}
        )
        await asyncio.wait_for(wire.connected.wait(), START_SECONDS_MAX)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), START_SECONDS_MAX)
    assert (await process.wait(), out, err.decode()) == (130, b"", "interrupted: nothing was changed\n")


async def test_in_the_middle_of_a_grant_it_says_that_nobody_knows(
    shop: Shop, operator: Operator, database: Database
) -> None:
    async with database.transaction() as somebody:
        await somebody.execute("lock table users")
        process = await started("admin_main.py", *GRANT, "--yes", settings=operator.settings)
        await soon(lambda: _waits(database), "the grant waits", START_SECONDS_MAX)
        process.terminate()
        out, err = await asyncio.wait_for(process.communicate(), START_SECONDS_MAX)
    assert (await process.wait(), out) == (130, b"")
    assert err.decode().startswith("interrupted: the credits may have been given, or not. Look with: user")
    assert await shop.deeds() == []


async def _waits(database: Database) -> bool:
    async with database.connection() as connection:
        return bool(
            await connection.fetchval(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
        )
