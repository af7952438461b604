"""What PostgreSQL says of itself."""

from dataclasses import dataclass
from datetime import datetime

from store.database import Database, load_queries
from store.migrate import known_migrations

_queries = load_queries("health")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`connections_max` without those that only a superuser gets."""

    version: str
    name: str
    clock: datetime
    connections_max: int
    connections: int
    bytes: int
    is_standby: bool


@dataclass(frozen=True, slots=True)
class Instance:
    """Which database of which PostgreSQL, whatever its address."""

    system_id: str
    database: str


class Health:
    """`set_up_at`, `newer_migrations` and what follows need the schema of this version."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def server(self) -> ServerFacts:
        async with self._database.connection() as connection:
            return ServerFacts(**await _queries.server(connection))

    async def instance(self) -> Instance:
        async with self._database.connection() as connection:
            return Instance(**await _queries.instance(connection))

    async def set_up_at(self) -> datetime:
        """When its first migration was applied."""
        async with self._database.connection() as connection:
            moment: datetime = await _queries.set_up_at(connection)
        return moment

    async def newer_migrations(self) -> list[str]:
        """Applied by a later release than this one."""
        known = known_migrations()
        async with self._database.connection() as connection:
            return [row["name"] async for row in _queries.applied(connection) if row["name"] not in known]

    async def unread_epoch(self) -> int | None:
        async with self._database.connection() as connection:
            epoch: int | None = await _queries.unread_epoch(connection)
        return epoch

    async def chores(self) -> dict[str, datetime]:
        """When each last came to its end."""
        async with self._database.connection() as connection:
            return {row["name"]: row["ended_at"] async for row in _queries.chores(connection)}
