"""Activities of an order that a restore has taken away do nothing, and let its workflow end."""

from collections.abc import Callable
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contracts import (
    AttemptRef,
    CancelOrder,
    OrderRef,
    ReleaseOrder,
    SettleVideo,
    VideoRef,
)
from activities.orders import OrderActivities
from activities.vanished import VanishedRows
from domain.clock import utc_now
from domain.failures import ALREADY_SETTLED
from domain.orders import VideoState
from domain.policy import OrderPolicy
from store.database import Database
from store.stores import build_stores

ORDER = "0" * 20
VIDEO = f"{ORDER}-v1"


@pytest.fixture
def orders(database: Database) -> OrderActivities:
    return OrderActivities(build_stores(database, utc_now, OrderPolicy()), utc_now)


async def called(step: Callable[[Any], Any], request: Any) -> Any:
    return await ActivityEnvironment().run(step, request)


async def test_nothing_is_reserved(orders: OrderActivities) -> None:
    assert not (await called(orders.reserve_credits, OrderRef(order_id=ORDER))).reserved
    assert (await called(orders.release_order, ReleaseOrder(order_id=ORDER))).closed


async def test_nothing_is_captured(orders: OrderActivities) -> None:
    settle = SettleVideo(video_id=VIDEO, captured=True, state=VideoState.DELIVERED)
    settled = await called(orders.settle_video, settle)
    assert (settled.captured, settled.won, settled.state) == (False, False, VideoState.CANCELLED)
    assert not (await called(orders.settle_overdue, VideoRef(video_id=VIDEO))).captured


async def test_a_cancel_finds_nothing(orders: OrderActivities) -> None:
    for cancel in (CancelOrder(order_id=ORDER), CancelOrder(order_id=ORDER, video_id=VIDEO)):
        assert (await called(orders.cancel_order, cancel)).cancelled_video_ids == ()


@pytest.mark.parametrize(
    ("step", "request_"),
    [("open_video", VideoRef(video_id=VIDEO)), ("abandon_attempt", AttemptRef(attempt_id=f"{VIDEO}-a1"))],
)
async def test_every_other_step_says_that_it_is_settled(
    orders: OrderActivities, step: str, request_: Any
) -> None:
    inner = _Calls(getattr(orders, step))
    around = VanishedRows().intercept_activity(inner)  # type: ignore[arg-type]  # as far as it is used
    with pytest.raises(ApplicationError, match="its row is gone") as raised:
        await ActivityEnvironment().run(around.execute_activity, request_)
    assert raised.value.type == ALREADY_SETTLED
    assert raised.value.non_retryable


class _Calls:
    def __init__(self, step: Callable[[Any], Any]) -> None:
        self._step = step

    async def execute_activity(self, request: Any) -> Any:
        return await self._step(request)
