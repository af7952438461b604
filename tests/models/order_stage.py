"""Real workflows with real children on one time-skipping server; each order id finds its own world."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.contracts import (
    ALL_CONTRACTS,
    SHOW_STAGE,
    SIGNAL_ADMITTED,
    ActivityContract,
    CancelOrder,
    TaskQueue,
)
from domain import ids
from domain.policy import OrderPolicy
from tests.models.order_plan import OrderPlan, Trouble
from tests.models.order_rows import WorkerDied
from tests.models.order_world import World
from tests.workflows.skipping import time_skipping
from workflows.contracts import KieCallback, OrderInput, OrderResult, VideoClosed, VideoResult
from workflows.orders import VideoOrder
from workflows.registry import ALL_WORKFLOWS, workflow_runner
from workflows.videos import Video

END_SECONDS: Final = 30
"""Of real time, where an order takes a fraction of a second: whoever does not end by then never does."""
_QUIET_SECONDS: Final = 0.3
_ENDLESS: Final = timedelta(hours=3)
POLICY: Final = OrderPolicy(
    kie_poll_seconds=150, ambiguous_recheck_seconds=240, admission_recheck_seconds=180
)
_ORDER_ID_CHARS: Final = 20


Played = tuple[World, OrderResult, dict[str, VideoResult]]


class StageLost(Exception):
    """Where an activity is cancelled while it runs, this server (no other) may not hand out the next one.

    Of our workflows only a cancelled video does that, and then shows its last stage. Such a plan says
    nothing.
    """


class OrderStage:
    def __init__(self, env: WorkflowEnvironment) -> None:
        self._env = env
        self._worlds: dict[str, World] = {}

    async def play(self, plan: OrderPlan) -> Played:
        """From the tap to the end of all workflows. Raise TimeoutError, StageLost: this server is spoilt."""
        order_id = f"{len(self._worlds):0{_ORDER_ID_CHARS}x}"
        world = self._worlds[order_id] = World(order_id, plan, self._signal)
        order = OrderInput(
            order_id=order_id, tg_user_id=7, video_count=len(plan.videos), template="own", policy=POLICY
        )
        handle = await self._env.client.start_workflow(
            VideoOrder.run, order, id=ids.order_workflow_id(order_id), task_queue=TaskQueue.ORDERS.value
        )
        try:
            async with asyncio.timeout(END_SECONDS):
                result = await self._result(world, handle)
                return world, result, await self._video_results(world)
        except TimeoutError:
            lost = [await self._shows_stage(video_id) for video_id in world.videos]
            if any(lost):
                raise StageLost from None
            raise

    async def _result(self, world: World, handle: WorkflowHandle[Any, OrderResult]) -> OrderResult:
        """Raise AssertionError for an order that is still there hours after its deadline."""
        ends = asyncio.create_task(handle.result())
        never = asyncio.create_task(world.endless.wait())
        await asyncio.wait({ends, never}, return_when=asyncio.FIRST_COMPLETED)
        never.cancel()
        if not ends.done():
            ends.cancel()
            await self._terminate(world)  # nothing may stay behind that holds up the server's time
            raise AssertionError(f"the order never ends: {' '.join(world.calls)}")
        return await ends

    async def _terminate(self, world: World) -> None:
        with suppress_gone():
            await self._order(world.order_id).terminate()
        for video_id in world.videos:
            with suppress_gone():
                await self._video(video_id).terminate()

    async def _video_results(self, world: World) -> dict[str, VideoResult]:
        results = {}
        for video_id in world.videos:
            with suppress_gone():
                results[video_id] = await self._video(video_id).result()
        return results

    async def _shows_stage(self, video_id: str) -> bool:
        with suppress_gone():
            described = await self._video(video_id).describe()
            pending = described.raw_description.pending_activities
            return any(each.activity_type.name == SHOW_STAGE.name for each in pending)
        return False

    async def _until_quiet(self, world: World, video_id: str) -> None:
        """So that the story comes to an end, or to a timer, before it is cancelled."""
        quiet = 0.0
        while quiet < _QUIET_SECONDS:
            await asyncio.sleep(_QUIET_SECONDS / 10)
            quiet = 0.0 if world.running[video_id] else quiet + _QUIET_SECONDS / 10

    async def answer(self, contract: ActivityContract[Any, Any], request: Any) -> BaseModel:
        named = next(value for name, value in request.model_dump().items() if name.endswith("_id"))
        world = self._worlds[named[:_ORDER_ID_CHARS]]
        named = ids.video_id_of_attempt(named) or named
        world.running[named] += 1
        call = (contract.name, world.calls.count(contract.name) + 1)
        troubles = [trouble for *at, trouble in world.plan.troubles if tuple(at) == call]
        for trouble in troubles:
            await self._happen(world, trouble)
        world.now = activity.info().started_time
        if world.calls and world.now > world.deadline_at + _ENDLESS:
            world.endless.set()
        try:
            return await _answered(world, contract.name, request, dying=Trouble.DIE in troubles)
        finally:
            world.running[named] -= 1
            if isinstance(request, CancelOrder) and request.video_id:
                await self._until_quiet(world, request.video_id)

    async def _happen(self, world: World, trouble: Trouble) -> None:
        first = next(iter(world.videos))
        with suppress_gone():
            if trouble is Trouble.CANCEL_ORDER:
                await self._order(world.order_id).cancel()
            elif trouble is Trouble.CANCEL_VIDEO:
                await self._video(first).cancel()
            elif trouble is Trouble.CANCEL_ROWS:
                await self._cancel_rows(world)

    async def _cancel_rows(self, world: World) -> None:
        """As the bot does it: rows first, then whoever works on them is woken."""
        for video_id in world.cancel_rows(world.videos.values()):
            closed = VideoClosed(video_id=video_id, state=world.videos[video_id].state)
            with suppress_gone():
                await self._video(video_id).signal(Video.settled)
            with suppress_gone():
                await self._order(world.order_id).signal(VideoOrder.video_closed, closed)

    async def _signal(self, subject: str, what: str) -> None:
        """`admitted` to a video; to an attempt, the callback of a KIE task."""
        with suppress_gone():
            if what == SIGNAL_ADMITTED:
                await self._video(subject).signal(Video.admitted)
                return
            callback = KieCallback(attempt_id=subject, kie_task_id=what)
            await self._video(ids.video_id_of_attempt(subject)).signal(Video.kie_callback, callback)

    def _order(self, order_id: str) -> WorkflowHandle[VideoOrder, OrderResult]:
        return self._env.client.get_workflow_handle_for(VideoOrder.run, ids.order_workflow_id(order_id))

    def _video(self, video_id: str) -> WorkflowHandle[Video, VideoResult]:
        return self._env.client.get_workflow_handle_for(Video.run, ids.video_workflow_id(video_id))


async def _answered(world: World, name: str, request: Any, *, dying: bool) -> BaseModel:
    """Whatever a dying worker did, nobody hears of it: Temporal asks the next one."""
    world.dying = dying
    try:
        answer = await world.answer(name, request)
    except ApplicationError:
        if dying:
            raise WorkerDied from None
        raise
    finally:
        world.dying = False
    if dying:
        raise WorkerDied
    return answer


@contextmanager
def suppress_gone() -> Iterator[None]:
    """The workflow was never started, or is over."""
    try:
        yield
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


@asynccontextmanager
async def order_stage() -> AsyncIterator[OrderStage]:
    async with time_skipping() as env:
        stage = OrderStage(env)
        workers = [_worker(env, queue, stage) for queue in TaskQueue]
        running = [asyncio.create_task(worker.run()) for worker in workers]
        try:
            yield stage
        finally:
            await asyncio.gather(*(worker.shutdown() for worker in workers))
            await asyncio.gather(*running)


def _worker(env: WorkflowEnvironment, queue: TaskQueue, stage: OrderStage) -> Worker:
    return Worker(
        env.client,
        task_queue=queue.value,
        workflows=ALL_WORKFLOWS if queue is TaskQueue.ORDERS else (),
        activities=_activities(stage)[queue],
        workflow_runner=workflow_runner(),
        graceful_shutdown_timeout=timedelta(seconds=1),
    )


def _activities(stage: OrderStage) -> dict[TaskQueue, list[Callable[..., Any]]]:
    found: dict[TaskQueue, list[Callable[..., Any]]] = defaultdict(list)
    for contract in ALL_CONTRACTS:
        found[contract.queue].append(_activity(contract, stage))
    return found


def _activity(contract: ActivityContract[Any, Any], stage: OrderStage) -> Callable[..., Any]:
    async def planned(request: Any) -> Any:
        return await stage.answer(contract, request)

    planned.__annotations__ = {"request": contract.request, "return": contract.result}
    return activity.defn(name=contract.name)(planned)
