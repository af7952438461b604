from datetime import timedelta

from domain.clock import utc_now
from store.database import Database
from store.updates import HandledUpdates


async def test_an_update_is_handled_once_and_forgotten_in_the_end(database: Database) -> None:
    updates = HandledUpdates(database, utc_now)
    assert not await updates.was_handled(5)
    await updates.mark_handled(5)
    await updates.mark_handled(5)
    assert await updates.was_handled(5)
    await updates.forget(timedelta(hours=1))
    assert await updates.was_handled(5)
    await updates.forget(timedelta(0))
    assert not await updates.was_handled(5)
