from domain.clock import utc_now
from store.database import Database
from store.switches import MAINTENANCE, Switches


async def test_what_nobody_switched_is_off(database: Database) -> None:
    assert not await Switches(database, utc_now).is_on(MAINTENANCE)


async def test_every_process_sees_a_switch_at_once(database: Database) -> None:
    here, there = Switches(database, utc_now), Switches(database, utc_now)
    await here.set(MAINTENANCE, True)
    await here.set(MAINTENANCE, True)
    assert await there.is_on(MAINTENANCE)
    assert not await there.is_on("something else")
    await there.set(MAINTENANCE, False)
    assert not await here.is_on(MAINTENANCE)
