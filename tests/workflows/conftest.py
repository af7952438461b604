"""A time-skipping Temporal server per test, so that nothing is left over."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.workflows.scripted import Script, Stage, stage_on
from tests.workflows.skipping import time_skipping


@pytest_asyncio.fixture
async def skipping_env() -> AsyncIterator[WorkflowEnvironment]:
    async with time_skipping() as env:
        yield env


@pytest_asyncio.fixture
async def stage(skipping_env: WorkflowEnvironment) -> AsyncIterator[Stage]:
    async with stage_on(skipping_env) as stage:
        yield stage


@pytest.fixture
def script(stage: Stage) -> Script:
    return stage.script()
