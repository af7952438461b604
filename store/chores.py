"""What is done now and then: when it last came to its end, and how."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.database import Database, load_queries

_queries = load_queries("chores")


@dataclass(frozen=True, slots=True)
class Chore:
    ended_at: datetime
    details: dict[str, Any]


class Chores:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def ended(self, name: str, at: datetime, details: dict[str, Any] | None = None) -> None:
        async with self._database.connection() as connection:
            await _queries.chore_ended(connection, name=name, at=at, details=details or {})

    async def last(self, name: str) -> Chore | None:
        async with self._database.connection() as connection:
            row = await _queries.last_chore(connection, name=name)
        return Chore(row["ended_at"], row["details"]) if row else None
