"""A time-skipping Temporal server per test: it starts in a fifth of a second, and nothing is left over."""

import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import WorkflowEnvironment

from tests.workflows.scripted import Script, Stage, stage_on
from workflows.registry import DATA_CONVERTER
from workflows.search_attributes import ALL_SEARCH_ATTRIBUTES

_BINARY = "temporal-test-server"


@pytest_asyncio.fixture
async def skipping_env() -> AsyncIterator[WorkflowEnvironment]:
    binary = shutil.which(_BINARY, path=str(Path(sys.executable).parent)) or shutil.which(_BINARY)
    env = await WorkflowEnvironment.start_time_skipping(
        data_converter=DATA_CONVERTER, test_server_existing_path=binary, runtime=_quiet_runtime()
    )
    types = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in ALL_SEARCH_ATTRIBUTES}
    await env.client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=env.client.namespace, search_attributes=types)
    )
    yield env
    await env.shutdown()


def _quiet_runtime() -> Runtime:
    """The test server lacks a capability that workers warn of for every activity."""
    telemetry = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=telemetry)))


@pytest_asyncio.fixture
async def stage(skipping_env: WorkflowEnvironment) -> AsyncIterator[Stage]:
    async with stage_on(skipping_env) as stage:
        yield stage


@pytest.fixture
def script(stage: Stage) -> Script:
    return stage.script()
