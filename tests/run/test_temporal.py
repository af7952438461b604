"""The embedded Temporal server: search attributes, retention, Web UI, and data that survives a kill."""

import socket
from pathlib import Path
from uuid import uuid4

import httpx
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from local.processes import LOCALHOST
from local.temporal import TemporalServer, connect
from workflows.namespace import RETENTION, SEARCH_ATTRIBUTES, prepare_namespace


async def test_namespace_keeps_histories_for_30_days(temporal_client: Client) -> None:
    answer = await temporal_client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=temporal_client.namespace)
    )
    assert answer.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION


async def test_search_attributes_have_their_types(temporal_client: Client) -> None:
    answer = await temporal_client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=temporal_client.namespace)
    )
    assert dict(answer.custom_attributes) == SEARCH_ATTRIBUTES


async def test_setup_creates_a_namespace_once(temporal_server: TemporalServer) -> None:
    client = await connect(temporal_server.address, f"videos-{uuid4().hex[:6]}")
    assert any("created" in line for line in await prepare_namespace(client))
    assert await prepare_namespace(client) == []


async def test_workflows_survive_a_kill_and_the_web_ui_is_there(tmp_path: Path) -> None:
    server = TemporalServer(tmp_path)
    await server.start()
    client = await connect(server.address)
    await client.start_workflow("Unknown", id="kept", task_queue="nobody")
    await server.child.kill()
    again = TemporalServer(tmp_path, port=server.port, ui_port=server.ui_port)
    await again.start()
    client = await connect(again.address)
    assert (await client.get_workflow_handle("kept").describe()).id == "kept"
    async with httpx.AsyncClient(timeout=10) as browser:
        assert (await browser.get(again.ui_url)).is_success
    await again.stop()


async def test_a_restart_goes_around_whoever_took_its_metrics_port_meanwhile(tmp_path: Path) -> None:
    server = TemporalServer(tmp_path, ui_port=None)
    await server.start()
    address, metrics_port = server.address, server.metrics_port
    await server.stop()
    with socket.create_server((LOCALHOST, metrics_port)):
        await server.start()
    assert server.address == address
    async with httpx.AsyncClient(timeout=10) as prometheus:
        assert (await prometheus.get(server.metrics_url)).is_success
    await server.stop()
