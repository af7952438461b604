"""What is in the making, as a card: for My orders, and for a /cancel without an open draft."""

from dataclasses import replace

from bot.turn import Turn
from domain.actions import Card
from domain.library import OpenOrder
from texts import library_cards


async def open_orders(turn: Turn) -> list[OpenOrder]:
    """With the place in the queue of each video that waits there."""
    orders = await turn.parts.library.open_orders(turn.user.tg_user_id)
    queued = [video.id for order in orders for video in order.videos if video.queued]
    if not queued:
        return orders
    places = await turn.parts.admission.places(queued)
    return [
        replace(order, videos=tuple(replace(video, place=places.get(video.id, 0)) for video in order.videos))
        for order in orders
    ]


def orders_card(turn: Turn, orders: list[OpenOrder]) -> Card:
    return library_cards.my_orders(turn.language, orders, turn.parts.clock())
