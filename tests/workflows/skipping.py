"""A Temporal server whose time jumps to the next timer: it starts in a fifth of a second."""

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import WorkflowEnvironment

from workflows.registry import DATA_CONVERTER
from workflows.search_attributes import ALL_SEARCH_ATTRIBUTES

_BINARY = "temporal-test-server"


@asynccontextmanager
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
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
