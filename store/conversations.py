"""Where each dialog stands, for aiogram: it survives a restart and is shared by all bots."""

from collections.abc import Mapping
from typing import Any

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, DefaultKeyBuilder, StateType, StorageKey

from domain.clock import Clock
from store.database import Database, load_queries

_queries = load_queries("conversations")
_keys = DefaultKeyBuilder(prefix="chat", with_bot_id=True, with_destiny=True)


class Conversations(BaseStorage):
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def read(self, key: StorageKey) -> tuple[str | None, dict[str, Any]]:
        async with self._database.connection() as connection:
            row = await _queries.read_conversation(connection, key=_keys.build(key))
        return (row["state"], dict(row["data"])) if row else (None, {})

    async def save(self, key: StorageKey, state: StateType, data: Mapping[str, Any]) -> None:
        """State and data together, so that no crash leaves one without the other."""
        async with self._database.connection() as connection:
            await _queries.save_conversation(
                connection, key=_keys.build(key), state=_name(state), data=dict(data), now=self._clock()
            )

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        async with self._database.connection() as connection:
            await _queries.save_state(connection, key=_keys.build(key), state=_name(state), now=self._clock())

    async def get_state(self, key: StorageKey) -> str | None:
        return (await self.read(key))[0]

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        async with self._database.connection() as connection:
            await _queries.save_data(connection, key=_keys.build(key), data=dict(data), now=self._clock())

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return (await self.read(key))[1]

    async def close(self) -> None:
        """The pool belongs to whoever opened it."""


def _name(state: StateType) -> str | None:
    return state.state if isinstance(state, State) else state
