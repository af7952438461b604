"""An operator at a real PostgreSQL; Temporal only for whoever asks for it."""

import pytest
import pytest_asyncio
from temporalio.client import Client

from local.temporal import TemporalServer
from store.database import Database
from tests.admin.operator import KEYS, NO_TEMPORAL, Operator, Shop
from workflows.namespace import prepare_namespace
from workflows.start import ensure_schedules


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop.on(database)


@pytest.fixture
def operator(database_url: str) -> Operator:
    """Temporal is away."""
    return Operator({"DATABASE_URL": database_url, "TEMPORAL_ADDRESS": NO_TEMPORAL, **KEYS})


@pytest_asyncio.fixture(scope="session")
async def prepared_temporal(temporal_client: Client) -> Client:
    await prepare_namespace(temporal_client)
    await ensure_schedules(temporal_client)
    return temporal_client


@pytest.fixture
def well_connected(
    operator: Operator, temporal_server: TemporalServer, prepared_temporal: Client
) -> Operator:
    assert prepared_temporal
    return Operator({**operator.settings, "TEMPORAL_ADDRESS": temporal_server.address})
