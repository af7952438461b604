"""Cards for who is too fast, or orders more than we take; and the sentence for groups. Pure functions."""

import math
from datetime import timedelta

from domain.actions import Card
from domain.orders import Language
from texts import say
from texts.cards import counted_credits

_MINUTES_PER_HOUR = 60


def too_fast(language: Language) -> Card:
    return Card(say(language, "too-fast"))


def too_many_open(language: Language, orders_max: int, available: int) -> Card:
    orders, credit_text = counted_orders(language, orders_max), counted_credits(language, available)
    return Card(say(language, "too-many-open", orders=orders, credits=credit_text))


def too_many_today(language: Language, orders_max: int, available: int, wait: timedelta) -> Card:
    text = say(
        language,
        "too-many-today",
        orders=counted_orders(language, orders_max),
        credits=counted_credits(language, available),
        wait=counted_wait(language, wait),
    )
    return Card(text)


def group_goodbye(language: Language, username: str) -> Card:
    return Card(say(language, "group-goodbye", username=username))


def counted_orders(language: Language, count: int) -> str:
    return say(language, "orders", count=count)


def counted_wait(language: Language, wait: timedelta) -> str:
    """Rounded up: earlier than told it would not work."""
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    if minutes < _MINUTES_PER_HOUR:
        return say(language, "wait-minutes", count=minutes)
    return say(language, "wait-hours", count=math.ceil(minutes / _MINUTES_PER_HOUR))
