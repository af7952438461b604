"""What a worker process weighs, idle and per waiting workflow: `python -m benchmarks.waiting [workflows]`.

The idle one is a whole `worker_main.py` that has made one video. The waiting ones stand in the KIE wait in
a process that has nothing but the workflows; their activities are answered in this process.
"""

import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities import contracts
from activities.contracts import ALL_CONTRACTS, ActivityContract, CreateOutcome, NextStep, TaskQueue
from benchmarks.machine import BusyMeter, console, facts, world_on
from domain import ids
from local.processes import Child, spawn
from local.programs import ROOT
from local.temporal import TemporalServer, connect
from tests.stories.player import plan_for, throw_away_folder
from worker_main import make_worker
from workflows.contracts import OrderInput, VideoInput
from workflows.orders import VideoOrder
from workflows.videos import Video

GOAL_IDLE_MB = 200
GOAL_WAITING_KB = 100
WORKFLOWS = 400
WARM_UP = 20  # imports, sandbox and pollers are paid once
SETTLE_SECONDS = 5.0


async def main(workflows: int = WORKFLOWS) -> None:
    console.print(facts())
    await measure_idle()
    with tempfile.TemporaryDirectory(prefix="nc-", ignore_cleanup_errors=True) as folder:
        server = TemporalServer(Path(folder), ui_port=None)
        await server.start()
        try:
            await measure_waiting(server.address, Path(folder), "Video", start_video, workflows)
            await measure_waiting(server.address, Path(folder), "VideoOrder + Video", start_order, workflows)
        finally:
            await server.stop()


async def measure_idle() -> None:
    with throw_away_folder() as folder:
        async with world_on(plan_for(folder / "data"), folder) as (stack, world):
            fresh = told(stack.workers[0].child)
            seller = await world.seller("idle")
            await seller.buy(world.photo, "idle turns")
            await seller.wait_for_ring()
            await asyncio.sleep(SETTLE_SECONDS)
            console.print(
                f"worker, all roles: {fresh} when started, {told(stack.workers[0].child)} after a video"
            )
            console.print(f"bot: {told(stack.bot.child)}; goal of a worker {GOAL_IDLE_MB} MB")


async def measure_waiting(
    address: str, folder: Path, name: str, start: Callable[[Client, str], Any], workflows: int
) -> None:
    client = await connect(address)
    parked = Parked()
    child = await spawn(
        "worker", [sys.executable, "-m", "benchmarks.waiting", "worker", address],
        log_path=folder / "worker.log", cwd=str(ROOT),
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        for worker in parked.workers(client):
            await stack.enter_async_context(worker)
        stack.push_async_callback(child.stop)
        before = await park(parked, client, start, WARM_UP, child)
        meter = BusyMeter()
        after = await park(parked, client, start, workflows, child)
        each = (after - before) / 1024 / workflows
        console.print(
            f"{name}: {each:.0f} KB each ({before / 2**20:.0f} → {after / 2**20:.0f} MB for {workflows}), "
            f"{meter.told()}; goal {GOAL_WAITING_KB} KB per workflow"
        )


async def park(
    parked: "Parked", client: Client, start: Callable[[Client, str], Any], count: int, child: Child
) -> int:
    """The worker's own memory once so many more wait."""
    wanted = parked.count + count
    for _ in range(count):
        await start(client, ids.new_draft_id())
    while parked.count < wanted:  # noqa: ASYNC110 - another process drives it
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLE_SECONDS)
    used: int = psutil.Process(child.pid).memory_full_info().uss
    return used


async def start_video(client: Client, order_id: str) -> None:
    video = VideoInput(video_id=ids.video_id(order_id, 1), order_id=order_id, number=1, video_count=1)
    await client.start_workflow(
        Video.run, video, id=ids.video_workflow_id(video.video_id), task_queue=TaskQueue.ORDERS.value
    )


async def start_order(client: Client, order_id: str) -> None:
    order = OrderInput(order_id=order_id, tg_user_id=7, video_count=1, template="own")
    await client.start_workflow(
        VideoOrder.run, order, id=ids.order_workflow_id(order_id), task_queue=TaskQueue.ORDERS.value
    )


class Parked:
    """Answers every activity so that a video comes to wait for KIE, and counts those that do."""

    def __init__(self) -> None:
        self.count = 0

    def workers(self, client: Client) -> list[Worker]:
        queues: dict[TaskQueue, list[Callable[..., Any]]] = defaultdict(list)
        for contract in ALL_CONTRACTS:
            queues[contract.queue].append(self._activity(contract))
        return [Worker(client, task_queue=queue.value, activities=each) for queue, each in queues.items()]

    def _activity(self, contract: ActivityContract[Any, Any]) -> Callable[..., Any]:
        async def answered(request: Any) -> Any:
            return self._answer(contract, request)

        answered.__annotations__ = {"request": contract.request, "return": contract.result}
        return activity.defn(name=contract.name)(answered)

    def _answer(self, contract: ActivityContract[Any, Any], request: Any) -> BaseModel:
        if contract is contracts.SHOW_STAGE and request.stage is contracts.Stage.MAKING:
            self.count += 1
        answers: dict[str, BaseModel] = {
            contracts.RESERVE_CREDITS.name: contracts.ReservationResult(reserved=True),
            contracts.OPEN_VIDEO.name: contracts.VideoFacts(
                next_step=NextStep.CREATE, seconds_to_deadline=3_600
            ),
            contracts.UPLOAD_PHOTO.name: contracts.UploadedPhoto(url="http://kie/photo.jpg"),
            contracts.CREATE_KIE_TASK.name: contracts.CreateResult(
                outcome=CreateOutcome.ACCEPTED, kie_task_id="task"
            ),
        }
        if contract is contracts.ADMIT_VIDEO:
            return contracts.AdmissionAnswer(attempt=_attempt(request.video_id))
        return answers.get(contract.name, contracts.Nothing())


def _attempt(video_id: str) -> contracts.AttemptFacts:
    return contracts.AttemptFacts(
        attempt_id=ids.attempt_id(video_id, 1),
        state="INTENT",
        account="alpha",
        key_id="alpha-key",
        video_model="kling-2.6/image-to-video",
        typical_seconds=1_800,
    )


def told(child: Child) -> str:
    memory = psutil.Process(child.pid).memory_full_info()
    return f"{memory.rss / 2**20:.0f} MB (its own {memory.uss / 2**20:.0f})"


async def serve_workflows(address: str) -> None:
    await make_worker(await connect(address), TaskQueue.ORDERS, ()).run()


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        asyncio.run(serve_workflows(sys.argv[2]))
    else:
        asyncio.run(main(*map(int, sys.argv[1:])))
