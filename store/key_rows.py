"""Keys as their rows know them: also those that no setting names any more."""

from dataclasses import dataclass
from datetime import datetime

from domain.clock import Clock
from store.database import Database, load_queries

_queries = load_queries("keys")


@dataclass(frozen=True, slots=True)
class KnownKey:
    """`open_attempts` still ask KIE for something with this key."""

    key_id: str
    account: str
    blocked_until: datetime | None
    block_reason: str
    open_attempts: int


class KeyRows:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def known(self) -> list[KnownKey]:
        async with self._database.connection() as connection:
            return [KnownKey(**row) async for row in _queries.known_keys(connection)]

    async def find(self, key_id: str) -> KnownKey | None:
        return next((key for key in await self.known() if key.key_id == key_id), None)

    async def unblock(self, name: str) -> list[str]:
        """A key, an account, or both where they have one name. What was blocked."""
        async with self._database.transaction() as connection:
            account = await _queries.unblock_account(connection, name=name, now=self._clock())
            key = await _queries.unblock_key(connection, name=name, now=self._clock())
        return [what for what, name in (("account", account), ("key", key)) if name]

    async def forget(self, key_id: str) -> None:
        async with self._database.connection() as connection:
            await _queries.forget_key(connection, key_id=key_id)
