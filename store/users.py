"""Who talks to us: language, welcome credits, and whether the bot is blocked."""

from dataclasses import dataclass

from domain.clock import Clock
from domain.orders import Language, language_of
from store.database import Connection, Database, Row, load_queries
from store.ledger import Ledger

_queries = load_queries("users")


@dataclass(frozen=True, slots=True)
class User:
    id: int
    tg_user_id: int
    language: Language
    blocked: bool = False


class Users:
    def __init__(self, database: Database, ledger: Ledger, clock: Clock, welcome_credits: int) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._welcome_credits = welcome_credits

    async def register(self, tg_user_id: int, tg_language: str | None) -> User:
        """Know the person, however often; the welcome credits come once."""
        async with self._database.connection() as connection:
            row = await self._known(connection, tg_user_id, tg_language)
        if not row["welcomed"] and self._welcome_credits:
            await self._ledger.welcome(row["id"], self._welcome_credits)
        return _user(row)

    async def find(self, tg_user_id: int) -> User | None:
        async with self._database.connection() as connection:
            row = await _queries.find_user(connection, tg_user_id=tg_user_id)
        return _user(row) if row else None

    async def _known(self, connection: Connection, tg_user_id: int, tg_language: str | None) -> Row:
        row: Row | None = await _queries.find_user(connection, tg_user_id=tg_user_id)
        if row is not None and row["tg_language"] == tg_language:
            return row
        await _queries.register_user(
            connection, tg_user_id=tg_user_id, tg_language=tg_language, now=self._clock()
        )
        written: Row = await _queries.find_user(connection, tg_user_id=tg_user_id)
        return written

    async def choose_language(self, tg_user_id: int, language: Language) -> None:
        async with self._database.connection() as connection:
            await _queries.choose_language(connection, tg_user_id=tg_user_id, language=language.value)

    async def mark_blocked(self, tg_user_id: int) -> None:
        async with self._database.connection() as connection:
            await _queries.mark_blocked(connection, tg_user_id=tg_user_id, now=self._clock())

    async def mark_unblocked(self, tg_user_id: int) -> None:
        async with self._database.connection() as connection:
            await _queries.mark_unblocked(connection, tg_user_id=tg_user_id)


def _user(row: Row) -> User:
    language = language_of(row["language"], row["tg_language"])
    return User(row["id"], row["tg_user_id"], language, row["blocked"])
