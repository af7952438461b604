"""Who talks to us: language, welcome credits, and whether the bot is blocked."""

from dataclasses import dataclass, replace
from typing import Final

from domain.clock import Clock
from domain.orders import Language, language_of
from store.database import Connection, Database, Row, load_queries
from store.ledger import Ledger

_queries = load_queries("users")


WELCOME_PER_DAY: Final = 500


@dataclass(frozen=True, slots=True)
class User:
    """`terms_version` 0: none accepted. `welcome_over`: the first today for whom nothing was left."""

    id: int
    tg_user_id: int
    language: Language
    blocked: bool = False
    terms_version: int = 0
    welcome_over: bool = False


class Users:
    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        clock: Clock,
        welcome_credits: int,
        welcome_per_day: int = WELCOME_PER_DAY,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._welcome_credits = welcome_credits
        self._welcome_per_day = welcome_per_day

    async def register(self, tg_user_id: int, tg_language: str | None, fingerprint: str = "") -> User:
        """Know the person, however often; the welcome credits come once, on a day that has some left.

        Who was forgotten (by his fingerprint) is a new person, and is not welcomed a second time.
        """
        async with self._database.connection() as connection:
            row = await self._known(connection, tg_user_id, tg_language)
        if row["welcomed"] or not self._welcome_credits or not self._welcome_per_day:
            return _user(row)
        if await self._was_forgotten(fingerprint):
            return _user(row)
        return replace(_user(row), welcome_over=await self._welcome(row["id"]))

    async def _was_forgotten(self, fingerprint: str) -> bool:
        async with self._database.connection() as connection:
            return bool(await _queries.was_forgotten(connection, fingerprint=fingerprint))

    async def _welcome(self, user_id: int) -> bool:
        """Credit and count together. True for the first who comes when the day's credits are all given."""
        now = self._clock()
        today = now.date()
        async with self._database.transaction() as connection:
            if not await _queries.take_welcome(connection, day=today, per_day=self._welcome_per_day):
                return bool(await _queries.mark_welcome_over(connection, day=today, now=now))
            if not await self._ledger.welcome(connection, user_id, self._welcome_credits):
                await _queries.give_welcome_back(connection, day=today)
        return False

    async def accept_terms(self, user_id: int, version: int) -> None:
        async with self._database.connection() as connection:
            await _queries.accept_terms(connection, user_id=user_id, version=version, now=self._clock())

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
    return User(row["id"], row["tg_user_id"], language, row["blocked"], row["terms_version"])
