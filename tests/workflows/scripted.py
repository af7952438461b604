"""Activities that answer from a script, for tests of what the workflows decide.

Everything is real but the leaves: the time-skipping Temporal server, the worker, the sandbox.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from pydantic import BaseModel
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import contracts
from activities.contracts import (
    ALL_CONTRACTS,
    ActivityContract,
    AdmissionAnswer,
    AttemptFacts,
    CancelResult,
    CreateOutcome,
    CreateResult,
    KieTaskFacts,
    KieTaskStatus,
    NextStep,
    Nothing,
    OrderProgress,
    OverdueVideos,
    ReservationResult,
    SendOutcome,
    SendResult,
    SettleResult,
    TaskQueue,
    UploadedPhoto,
    VideoFacts,
)
from domain import ids
from domain.orders import VideoState
from domain.policy import OrderPolicy
from workflows.contracts import OrderInput, VideoInput, VideoResult
from workflows.orders import VideoOrder
from workflows.registry import ALL_WORKFLOWS, workflow_runner
from workflows.start import TemporalUnavailable
from workflows.videos import Video

_TOLD_SECONDS_MAX = 60.0

Answer = BaseModel | Exception


def attempt(video_id: str, number: int = 1, account: str = "alpha") -> AttemptFacts:
    return AttemptFacts(
        attempt_id=ids.attempt_id(video_id, number),
        state="INTENT",
        account=account,
        key_id=f"{account}-key",
        video_model="kling-2.6/image-to-video",
        typical_seconds=240,
    )


@dataclass
class Script:
    """What each activity answers next; without an entry, the ordinary answer. `calls` is what happened."""

    env: WorkflowEnvironment
    order_id: str = field(default_factory=lambda: uuid4().hex[:20])
    account: str = "alpha"
    answers: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    calls: list[tuple[str, Any]] = field(default_factory=list)
    attempts: int = 0
    polls_until_success: int = 3
    settled: SettleResult | None = None
    pauses: dict[str, asyncio.Event] = field(default_factory=dict)

    def will(self, contract: ActivityContract[Any, Any], *answers: Answer) -> None:
        self.answers[contract.name].extend(answers)

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def count(self, contract: ActivityContract[Any, Any]) -> int:
        return self.names().count(contract.name)

    def requests(self, contract: ActivityContract[Any, Any]) -> list[Any]:
        return [request for name, request in self.calls if name == contract.name]

    async def called(self, contract: ActivityContract[Any, Any]) -> None:
        """Until the activity was called for the first time."""
        while not self.count(contract):  # noqa: ASYNC110 - a real worker calls it, not this task
            await asyncio.sleep(0.02)

    def answer(self, contract: ActivityContract[Any, Any], request: Any) -> BaseModel:
        self.calls.append((contract.name, request))
        if contract is contracts.SETTLE_VIDEO:
            return self._settle(request)
        waiting = self.answers[contract.name]
        answer = waiting.popleft() if waiting else self._ordinary(contract, request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _settle(self, request: Any) -> SettleResult:
        if self.settled is not None:
            return self.settled.model_copy(update={"won": False})
        self.settled = SettleResult(captured=request.captured, state=request.state, won=True)
        return self.settled

    def _ordinary(self, contract: ActivityContract[Any, Any], request: Any) -> BaseModel:
        ordinary: dict[str, Callable[[], BaseModel]] = {
            contracts.RESERVE_CREDITS.name: lambda: ReservationResult(reserved=True),
            contracts.RELEASE_ORDER.name: lambda: OrderProgress(failed=1),
            contracts.CANCEL_ORDER.name: CancelResult,
            contracts.READ_PROGRESS.name: lambda: OrderProgress(open=1),
            contracts.TELL_LONG_WAIT.name: lambda: OrderProgress(open=1),
            contracts.CLOSE_ORDER.name: lambda: OrderProgress(delivered=1),
            contracts.OPEN_VIDEO.name: lambda: VideoFacts(
                next_step=NextStep.CREATE, seconds_to_deadline=3_600
            ),
            contracts.ADMIT_VIDEO.name: lambda: self._admit(request),
            contracts.UPLOAD_PHOTO.name: lambda: UploadedPhoto(url="http://kie/photo.jpg"),
            contracts.CREATE_KIE_TASK.name: lambda: CreateResult(
                outcome=CreateOutcome.ACCEPTED, kie_task_id=f"task{self.attempts}"
            ),
            contracts.CHECK_KIE_TASK.name: self._check,
            contracts.SEND_VIDEO.name: lambda: SendResult(outcome=SendOutcome.SENT),
            contracts.RESEND_VIDEO.name: lambda: SendResult(outcome=SendOutcome.SENT),
            contracts.LIST_OVERDUE.name: OverdueVideos,
        }
        return ordinary.get(contract.name, Nothing)()

    def _admit(self, request: Any) -> AdmissionAnswer:
        self.attempts += 1
        return AdmissionAnswer(attempt=attempt(request.video_id, self.attempts, self.account))

    def _check(self) -> KieTaskFacts:
        done = self.count(contracts.CHECK_KIE_TASK) >= self.polls_until_success
        status = KieTaskStatus.SUCCESS if done else KieTaskStatus.RUNNING
        return KieTaskFacts(status=status, kie_task_id=f"task{self.attempts}")

    # -- driving --------------------------------------------------------------------------------------

    async def start_video(self, policy: OrderPolicy | None = None) -> "WorkflowHandle[Video, VideoResult]":
        video = VideoInput(
            video_id=ids.video_id(self.order_id, 1),
            order_id=self.order_id,
            number=1,
            video_count=1,
            policy=policy or OrderPolicy(),
        )
        return await self.env.client.start_workflow(
            Video.run,
            video,
            id=ids.video_workflow_id(video.video_id),
            task_queue=TaskQueue.ORDERS.value,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )

    async def start_order(self, video_count: int = 1) -> "WorkflowHandle[VideoOrder, Any]":
        order = OrderInput(order_id=self.order_id, tg_user_id=7, video_count=video_count, template="own")
        return await self.env.client.start_workflow(
            VideoOrder.run,
            order,
            id=ids.order_workflow_id(order.order_id),
            task_queue=TaskQueue.ORDERS.value,
        )

    async def video(self, policy: OrderPolicy | None = None) -> VideoResult:
        return await (await self.start_video(policy)).result()


def refunded(result: VideoResult) -> bool:
    return result.state is VideoState.FAILED and not result.captured


class Stage:
    """The workers; each order id finds its own script. `asked` is every call, of all scripts."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self._env = env
        self._scripts: dict[str, Script] = {}
        self.asked: list[tuple[ActivityContract[Any, Any], str]] = []

    def script(self) -> Script:
        script = Script(self._env)
        self._scripts[script.order_id] = script
        return script

    def answer(self, contract: ActivityContract[Any, Any], request: Any) -> BaseModel:
        script = self.script_of(request)
        self.asked.append((contract, script.order_id))
        return script.answer(contract, request)

    def script_of(self, request: Any) -> Script:
        named = next(value for name, value in request.model_dump().items() if name.endswith("_id"))
        return self._scripts[named[:20]]


@asynccontextmanager
async def stage_on(env: WorkflowEnvironment, without: TaskQueue | None = None) -> AsyncIterator[Stage]:
    """`without`: nobody serves that queue yet."""
    stage = Stage(env)
    async with AsyncExitStack() as stack:
        for queue in TaskQueue:
            if queue is not without:
                await stack.enter_async_context(serving(stage, env.client, queue))
        yield stage


@asynccontextmanager
async def serving(
    stage: Stage, client: Client, queue: TaskQueue, activities_max: int = 100
) -> AsyncIterator[None]:
    worker = Worker(
        client,
        task_queue=queue.value,
        workflows=ALL_WORKFLOWS if queue is TaskQueue.ORDERS else (),
        activities=[_activity(contract, stage) for contract in ALL_CONTRACTS if contract.queue is queue],
        workflow_runner=workflow_runner(),
        max_concurrent_activities=activities_max,
        graceful_shutdown_timeout=timedelta(seconds=1),
    )
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        await worker.shutdown()
        await running


def _activity(contract: ActivityContract[Any, Any], stage: Stage) -> Callable[..., Any]:
    async def scripted(request: Any) -> Any:
        answer = stage.answer(contract, request)
        pauses = stage.script_of(request).pauses
        if contract.name in pauses:
            await pauses[contract.name].wait()
        return answer

    scripted.__annotations__ = {"request": contract.request, "return": contract.result}
    return activity.defn(name=contract.name)(scripted)


async def told(tell: Callable[[], Awaitable[object]]) -> None:
    """Again and again, as the bot does it: a busy machine may not answer within three seconds."""
    async with asyncio.timeout(_TOLD_SECONDS_MAX):
        while True:
            with suppress(TemporalUnavailable):
                await tell()
                return
