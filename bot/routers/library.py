"""My orders and my videos: waiting, cancelling, showing again, rating."""

from aiogram import Router


def router() -> Router:
    return Router(name="library")
