"""Whether an order is still worth a step."""

from activities.failing import already_settled
from store.orders import Orders


async def require_open(orders: Orders, order_id: str) -> None:
    """Where a cancel came first every video is closed, and nothing more is asked of anybody for them."""
    if (await orders.progress(order_id)).open == 0:
        raise already_settled()
