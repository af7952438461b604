"""Any answer changed from the confirm card, and answers that were edited in the chat."""

from aiogram import Router


def router() -> Router:
    return Router(name="changes")
