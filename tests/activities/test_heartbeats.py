"""Every activity beats while it runs; a process that dies in the middle of one is noticed by the silence."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import activity, exceptions
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import TimeoutType
from temporalio.worker import Worker

from activities.contracts import ALL_CONTRACTS
from activities.heartbeats import Heartbeats
from domain.policy import OrderPolicy
from workflows.policies import options_for

SILENCE = timedelta(seconds=15)
WORK_SECONDS = 20.0
# Else the SDK keeps beats back for most of the timeout, and a machine that stands still for a moment is dead.
BEATS_KEPT_BACK = timedelta(seconds=1)
RESUMES_WITHIN_SECONDS = 30.0
STICKY_QUEUE_SECONDS = 10.0  # Temporal's own: until another worker is asked for the next workflow task


@activity.defn
async def take_longer_than_the_silence() -> int:
    await asyncio.sleep(WORK_SECONDS)
    return activity.info().attempt


@pytest_asyncio.fixture(params=[True, False], ids=["beating", "silent"])
async def beating(request: Any, temporal_client: Client) -> AsyncIterator[tuple[bool, str]]:
    queue = f"beats-{uuid4().hex[:8]}"
    interceptors = [Heartbeats()] if request.param else []
    async with Worker(
        temporal_client,
        task_queue=queue,
        activities=[take_longer_than_the_silence],
        interceptors=interceptors,
        max_heartbeat_throttle_interval=BEATS_KEPT_BACK,
    ):
        yield request.param, queue


async def test_an_activity_is_not_given_up_while_it_runs(
    temporal_client: Client, beating: tuple[bool, str]
) -> None:
    beats, queue = beating
    call = temporal_client.execute_activity(
        take_longer_than_the_silence,
        id=uuid4().hex,
        task_queue=queue,
        start_to_close_timeout=timedelta(seconds=60),
        heartbeat_timeout=SILENCE,
        retry_policy=RetryPolicy(maximum_attempts=1),
    )
    if beats:
        assert await call == 1
        return
    with pytest.raises(Exception, match="failed") as failed:
        await call
    timeout = failed.value.__cause__
    assert isinstance(timeout, exceptions.TimeoutError)
    assert timeout.type is TimeoutType.HEARTBEAT


@pytest.mark.unit
@pytest.mark.parametrize("contract", ALL_CONTRACTS, ids=lambda each: each.name)
def test_a_step_of_a_killed_worker_resumes_in_half_a_minute(contract: Any) -> None:
    policy = OrderPolicy()
    first_pause = options_for(contract, policy).retry.initial_interval.total_seconds()
    assert policy.heartbeat_timeout_seconds + first_pause + STICKY_QUEUE_SECONDS < RESUMES_WITHIN_SECONDS
