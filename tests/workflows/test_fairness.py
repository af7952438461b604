"""Whoever has bought a lot delays nobody: on the real server, whose queues serve users in turn."""

import asyncio
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.contracts import ALL_CONTRACTS, TaskQueue
from domain import ids
from domain.orders import Brief, Template
from domain.policy import OrderPolicy
from local.temporal import TemporalServer, connect
from tests.stories.seller import soon
from tests.workflows.scripted import Stage, serving, stage_on, told
from workflows.namespace import prepare_namespace
from workflows.start import WorkflowStarter

pytestmark = pytest.mark.timeout(600)

ORDERS = 20
PLACE_MAX = ORDERS // 2  # the second to the sixth; the last one where nobody compares
POLICY = OrderPolicy(kie_first_poll_factor=0.01)
PATIENCE_SECONDS = 180.0


BRIEF = Brief(template=Template.UGC, product_text="A mug")


@dataclass(frozen=True)
class Order:
    tg_user_id: int
    video_count: int = 1
    brief: Brief = BRIEF


@dataclass
class Orders:
    """Whose each order is."""

    rows: dict[str, Order]

    async def read(self, order_id: str) -> Order:
        return self.rows[order_id]


@dataclass
class Shop:
    client: Client
    stage: Stage
    orders: Orders

    async def buy(self, tg_user_id: int) -> str:
        script = self.stage.script()
        self.orders.rows[script.order_id] = Order(tg_user_id)
        script.polls_until_success = 1
        starter = WorkflowStarter(self.client, self.orders, POLICY)
        await told(partial(starter.start_order, script.order_id))
        return script.order_id

    async def wait_in(self, queue: TaskQueue) -> None:
        """Until something of every order stands in that queue."""
        for order_id in self.orders.rows:
            video = ids.video_workflow_id(ids.video_id(order_id, 1))
            name = video if queue is TaskQueue.TELEGRAM else ids.order_workflow_id(order_id)
            await soon(partial(self._stands_in, queue, name), f"{name} stands in {queue}", PATIENCE_SECONDS)

    async def _stands_in(self, queue: TaskQueue, workflow_id: str) -> bool:
        served = {contract.name for contract in ALL_CONTRACTS if contract.queue is queue}
        try:
            described = await self.client.get_workflow_handle(workflow_id).describe()
        except RPCError:  # the child is not there yet
            return False
        pending = described.raw_description.pending_activities
        return any(each.activity_type.name in served for each in pending)

    async def close(self) -> None:
        """Every order ends."""
        handles = map(self.client.get_workflow_handle, map(ids.order_workflow_id, self.orders.rows))
        await asyncio.wait_for(asyncio.gather(*(handle.result() for handle in handles)), PATIENCE_SECONDS)

    async def place_in(self, queue: TaskQueue, order_id: str) -> int:
        """As the queue was worked off, one by one; the first is 1."""

        async def served() -> list[str]:
            orders = [order for contract, order in self.stage.asked if contract.queue is queue]
            return orders if order_id in orders else []

        orders: list[str] = await soon(served, f"it is served from {queue}", PATIENCE_SECONDS)
        return orders.index(order_id) + 1


@pytest.mark.parametrize("queue", [TaskQueue.PROMPTS, TaskQueue.MEDIA, TaskQueue.TELEGRAM])
async def test_one_video_waits_behind_nobodys_hundred(
    temporal_server: TemporalServer, queue: TaskQueue
) -> None:
    client = await connect(temporal_server.address, f"fair-{uuid4().hex[:6]}")
    await prepare_namespace(client)
    async with stage_on(WorkflowEnvironment.from_client(client), without=queue) as stage:
        shop = Shop(client, stage, Orders({}))
        for _ in range(ORDERS):
            await shop.buy(700_000_001)
        await shop.wait_in(queue)
        modest = await shop.buy(700_000_002)
        await shop.wait_in(queue)
        async with serving(stage, client, queue, activities_max=1):
            assert await shop.place_in(queue, modest) <= PLACE_MAX
        async with serving(stage, client, queue):
            await shop.close()
