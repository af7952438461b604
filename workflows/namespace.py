"""What a Temporal server must know before the first order: namespace, retention, search attributes."""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from workflows.search_attributes import ALL_SEARCH_ATTRIBUTES

RETENTION: Final = timedelta(days=30)  # as long as an engineer may want to replay an order
SEARCH_ATTRIBUTES: Final = {key.name: int(key.indexed_value_type) for key in ALL_SEARCH_ATTRIBUTES}
HOUSEKEEPING_EVERY: Final = timedelta(minutes=1)
_HOUSEKEEPING_EVERY_MIN: Final = timedelta(seconds=2)
PROBE_EVERY: Final = timedelta(minutes=10)
_PROBE_EVERY_MIN: Final = timedelta(seconds=10)  # however short our waits: KIE's own pace stays
INVARIANTS_EVERY: Final = timedelta(minutes=1)
_INVARIANTS_EVERY_MIN: Final = timedelta(seconds=3)
_RPC_TIMEOUT: Final = timedelta(seconds=10)
_SPREAD_TIMEOUT_SECONDS: Final = 60.0  # a server learns of a new namespace from its cache, every 10 s


class WrongAttributes(Exception):
    """One sentence: the server would refuse each order, and setup cannot mend it."""

    def __init__(self, said: str, do: str) -> None:
        super().__init__(
            f"search attributes have another type in Temporal, no order could start: {said}; {do}"
        )
        self.said = said
        self.do = do


def housekeeping_every(time_scale: float) -> timedelta:
    return max(HOUSEKEEPING_EVERY * time_scale, _HOUSEKEEPING_EVERY_MIN)


def probe_every(time_scale: float) -> timedelta:
    return max(PROBE_EVERY * time_scale, _PROBE_EVERY_MIN)


def invariants_every(time_scale: float) -> timedelta:
    return max(INVARIANTS_EVERY * time_scale, _INVARIANTS_EVERY_MIN)


async def prepare_namespace(client: Client) -> list[str]:
    """Make the client's namespace ready; answer what had to be done. Repeatable. Raise WrongAttributes."""
    done = await _ensure_retention(client)
    missing = await _missing_once_known(client)
    if missing:
        await _add_attributes(client, missing)
        done.append(f"search attributes {', '.join(missing)} added")
    return done


async def _ensure_retention(client: Client) -> list[str]:
    """A longer retention than ours is somebody's decision and stays."""
    kept = await _retention(client)
    if kept is None:
        await _register(client)
        return [f"namespace {client.namespace} created"]
    if kept >= RETENTION:
        return []
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(
            namespace=client.namespace,
            config=NamespaceConfig(workflow_execution_retention_ttl=_duration(RETENTION)),
        ),
        timeout=_RPC_TIMEOUT,
    )
    return [f"retention raised to {RETENTION.days} days"]


async def _retention(client: Client) -> timedelta | None:
    try:
        answer = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=_RPC_TIMEOUT
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return answer.config.workflow_execution_retention_ttl.ToTimedelta()


async def _register(client: Client) -> None:
    try:
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(
                namespace=client.namespace, workflow_execution_retention_period=_duration(RETENTION)
            ),
            timeout=_RPC_TIMEOUT,
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:  # a second setup at the same time
            raise


async def _missing_once_known(client: Client) -> list[str]:
    """A namespace made a moment ago is not known everywhere yet."""
    deadline = time.monotonic() + _SPREAD_TIMEOUT_SECONDS
    while True:
        try:
            return await missing_attributes(client)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or time.monotonic() > deadline:
                raise
            await asyncio.sleep(1)


async def missing_attributes(client: Client) -> list[str]:
    """Raise RPCError NOT_FOUND where there is no such namespace, and WrongAttributes."""
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), timeout=_RPC_TIMEOUT
    )
    _check_types(client.namespace, answer.custom_attributes)
    return [name for name in SEARCH_ATTRIBUTES if name not in answer.custom_attributes]


def _check_types(namespace: str, there: Mapping[str, IndexedValueType.ValueType]) -> None:
    wrong = [name for name, kind in SEARCH_ATTRIBUTES.items() if there.get(name, kind) != kind]
    if wrong:
        said = ", ".join(
            f"{name} is {_kind(there[name])}, not {_kind(SEARCH_ATTRIBUTES[name])}" for name in wrong
        )
        remove = " ".join(f"--name {name}" for name in wrong)
        command = f"temporal operator search-attribute remove --namespace {namespace} {remove}"
        raise WrongAttributes(said, f"run {command}, then admin_main.py setup")


def _kind(value: int) -> str:
    """As the Web UI has it."""
    name = IndexedValueType.Name(IndexedValueType.ValueType(value))
    return name.removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")


async def _add_attributes(client: Client, names: list[str]) -> None:
    request = AddSearchAttributesRequest(namespace=client.namespace)
    for name in names:
        request.search_attributes[name] = IndexedValueType.ValueType(SEARCH_ATTRIBUTES[name])
    await client.operator_service.add_search_attributes(request, timeout=_RPC_TIMEOUT)


def _duration(span: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(span)
    return duration
