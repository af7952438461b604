"""What administrators switch on and off for all processes.

Read from the row each time it matters: nothing is kept in a process, so every replica obeys at once.
"""

from typing import Final

from domain.clock import Clock
from store.database import Connection, Database, load_queries

_queries = load_queries("switches")

MAINTENANCE: Final = "maintenance"
"""While it is on, no new order is taken; open ones finish, and payments are credited."""


class Switches:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def is_on(self, name: str) -> bool:
        """What nobody ever switched is off."""
        async with self._database.connection() as connection:
            return bool(await _queries.is_on(connection, name=name))

    async def set(self, name: str, is_on: bool) -> None:  # noqa: FBT001 - the state is the thing said
        async with self._database.connection() as connection:
            await self.write(connection, name, is_on=is_on)

    async def write(self, connection: Connection, name: str, *, is_on: bool) -> bool:
        """In the caller's transaction. False: it stood like this already."""
        changed = await _queries.set_switch(connection, name=name, is_on=is_on, now=self._clock())
        return bool(changed)
