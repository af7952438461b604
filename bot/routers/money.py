"""Topping up, receipts, refunds, and the terms."""

from aiogram import Router


def router() -> Router:
    return Router(name="money")
