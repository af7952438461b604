"""A person and his bot, as the tests of the bot have them."""

from tests.bot.conftest import ann, ann_id, boss, bot, http, telegram_base, telegram_server

__all__ = ["ann", "ann_id", "boss", "bot", "http", "telegram_base", "telegram_server"]
