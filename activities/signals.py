"""Waking workflows from inside an activity."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from activities.contracts import SIGNAL_ADMITTED
from domain import ids

_RPC_TIMEOUT: Final = timedelta(seconds=3)

_log = structlog.get_logger(__name__)


class WorkflowSignals:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def admitted(self, video_ids: Iterable[str]) -> None:
        """A lost wake-up costs time only: every queued video asks again by itself."""
        for video_id in video_ids:
            handle = self._client.get_workflow_handle(ids.video_workflow_id(video_id))
            try:
                await handle.signal(SIGNAL_ADMITTED, rpc_timeout=_RPC_TIMEOUT)
            except RPCError as error:
                _log.warning("video not woken", video_id=video_id, status=error.status.name)
