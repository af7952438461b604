"""The shop from the inside, for administrators only."""

from aiogram import Router


def router() -> Router:
    return Router(name="admin")
