from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import StorageKey

from domain.clock import utc_now
from store.conversations import Conversations
from store.database import Database


class Steps(StatesGroup):
    first = State()


KEY = StorageKey(bot_id=1, chat_id=2, user_id=2)


async def test_state_and_data_are_kept_apart_and_together(database: Database) -> None:
    storage = Conversations(database, utc_now)
    assert await storage.read(KEY) == (None, {})
    await storage.set_state(KEY, Steps.first)
    await storage.set_data(KEY, {"words": "ж"})
    assert await storage.get_state(KEY) == "Steps:first"
    assert await storage.get_data(KEY) == {"words": "ж"}
    await storage.save(KEY, None, {})
    assert await storage.read(KEY) == (None, {})


async def test_chats_and_bots_do_not_mix(database: Database) -> None:
    storage = Conversations(database, utc_now)
    await storage.save(KEY, Steps.first, {"n": 1})
    assert await storage.get_state(StorageKey(bot_id=9, chat_id=2, user_id=2)) is None
    assert await storage.get_state(StorageKey(bot_id=1, chat_id=3, user_id=3)) is None
