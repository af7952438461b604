"""What is kept outside the database of people who are forgotten: deleted from an outbox."""

from datetime import timedelta
from typing import Final, Protocol

import structlog
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.client import WorkflowExecution as FoundWorkflow
from temporalio.service import RPCError, RPCStatusCode

from clients.media import MediaError, MediaStorage, photo_key, video_key, view_key
from domain import ids
from store.forget import Forgetting, OrderElsewhere

_log = structlog.get_logger(__name__)

_VIEWS_MAX: Final = 4  # of an order; one that is not there is no error
_LEASE: Final = timedelta(minutes=10)
_BACK_OFF_SECONDS: Final = 15.0
_RPC_TIMEOUT: Final = timedelta(seconds=10)


class DeletesHistories(Protocol):
    async def delete(self, order_id: str) -> int: ...


class WorkflowHistories:
    """The histories of an order: its inputs name the person."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def delete(self, order_id: str) -> int:
        """How many there still were: Temporal deletes them soon, and lists them until then."""
        found = [
            each async for each in self._client.list_workflows(_query(order_id), rpc_timeout=_RPC_TIMEOUT)
        ]
        for each in found:
            await self._delete(each)
        return len(found)

    async def _delete(self, found: FoundWorkflow) -> None:
        request = DeleteWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=found.id, run_id=found.run_id),
        )
        try:
            await self._client.workflow_service.delete_workflow_execution(request, timeout=_RPC_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


def _query(order_id: str) -> str:
    """Of the order, its videos, and what sent them again, in every run."""
    prefixes = (ids.order_workflow_id(order_id), ids.resend_workflow_id(order_id))
    return " OR ".join(f'WorkflowId STARTS_WITH "{prefix}"' for prefix in prefixes)


class Eraser:
    """Several workers share it: each person is leased to one of them."""

    def __init__(
        self,
        forgetting: Forgetting,
        media: MediaStorage,
        histories: DeletesHistories,
        time_scale: float = 1.0,
    ) -> None:
        self._forgetting = forgetting
        self._media = media
        self._histories = histories
        self._back_off = timedelta(seconds=_BACK_OFF_SECONDS * time_scale)

    async def empty(self) -> None:
        """Who is not done yet comes again after a while."""
        while (user_id := await self._forgetting.lease(_LEASE)) is not None:
            if await self._erased(user_id):
                await self._forgetting.finish(user_id)
                _log.info("person forgotten everywhere", user_id=user_id)
            else:
                await self._forgetting.postpone(user_id, self._back_off)

    async def _erased(self, user_id: int) -> bool:
        await self._forgetting.erase_again(user_id)
        try:
            left = [await self._erase(order) for order in await self._forgetting.elsewhere(user_id)]
        except (
            MediaError,
            RPCError,
            RuntimeError,
        ) as error:  # a lazy client that cannot connect: RuntimeError
            _log.warning("not everything is deleted yet", user_id=user_id, error=type(error).__name__)
            return False
        return not any(left)

    async def _erase(self, order: OrderElsewhere) -> int:
        await self._media.delete(_media_keys(order))
        return await self._histories.delete(order.order_id)


def _media_keys(order: OrderElsewhere) -> list[str]:
    """By the order's id, not by its rows: a picture may have been kept and never written down."""
    views = [view_key(order.order_id, number) for number in range(1, _VIEWS_MAX + 1)]
    return [photo_key(order.order_id), *views, *map(video_key, order.video_ids)]
