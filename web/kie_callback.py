"""KIE says that a task ended. Its body is not signed, so all it does is wake the workflow that asks KIE."""

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

import structlog
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from clients.kie_callbacks import callback_is_ours
from clients.kie_signatures import signature_fits
from domain import ids
from domain.clock import Clock, utc_now
from telemetry import context, metrics, tracing
from web.bodies import Refused, read_body
from workflows.start import Delivered, TemporalUnavailable

BODY_BYTES_MAX: Final = 64 * 1024
_NO_SECRET: Final = SecretStr("")
_KIE_TASK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")

_log = structlog.get_logger(__name__)

SignalKieCallback = Callable[[str, str], Awaitable[Delivered]]
"""Attempt id, KIE task id; raises TemporalUnavailable."""


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"  # its workflow is over, or never was
    FORGED = "forged"
    MALFORMED = "malformed"
    UNAVAILABLE = "unavailable"  # Temporal is away: KIE calls again


_DELIVERED: Final = {Delivered.DELIVERED: Outcome.ACCEPTED, Delivered.NO_SUCH_WORKFLOW: Outcome.UNKNOWN}
_REFUSED: Final = {HTTPStatus.NOT_FOUND: Outcome.FORGED, HTTPStatus.FORBIDDEN: Outcome.FORGED}


@dataclass(frozen=True, slots=True)
class KieCallbackRoute:
    """`callback_secret` made the token in the address; `webhook_secret` is the one set up at KIE."""

    callback_secret: SecretStr
    signal: SignalKieCallback
    webhook_secret: SecretStr = _NO_SECRET
    clock: Clock = utc_now

    async def handle(self, request: Request) -> Response:
        """2xx only when the workflow has it, or there is none: anything else makes KIE call again."""
        try:
            attempt_id, kie_task_id = await self._read(request)
            subject = ids.subject(attempt_id=attempt_id)
            with context.about(**subject), tracing.of_order(subject["order_id"]):
                delivered = await self.signal(attempt_id, kie_task_id)
                _log.info("KIE called back", kie_task_id=kie_task_id, outcome=delivered.value)
        except Refused as refused:
            _count(_REFUSED.get(refused.status, Outcome.MALFORMED))
            return _answer(refused.status, refused.status.phrase)
        except TemporalUnavailable:
            _count(Outcome.UNAVAILABLE)
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "try again")
        _count(_DELIVERED[delivered])
        return _answer(HTTPStatus.OK, delivered.value)

    async def _read(self, request: Request) -> tuple[str, str]:
        attempt_id: str = request.path_params["attempt_id"]
        if not callback_is_ours(self.callback_secret, attempt_id, request.path_params["token"]):
            raise Refused(HTTPStatus.NOT_FOUND)
        kie_task_id = _kie_task_id(await read_body(request, BODY_BYTES_MAX))
        if not self._signature_fits(request.headers, kie_task_id):
            raise Refused(HTTPStatus.FORBIDDEN)
        return attempt_id, kie_task_id

    def _signature_fits(self, headers: Mapping[str, str], kie_task_id: str) -> bool:
        """Signing is switched on at KIE; without a signature the token in the address has to do."""
        signature = headers.get("x-webhook-signature")
        if signature is None:
            return True
        timestamp = headers.get("x-webhook-timestamp", "")
        return signature_fits(self.webhook_secret, kie_task_id, timestamp, signature, self.clock())


def _count(outcome: Outcome) -> None:
    metrics.KIE_CALLBACKS.add(outcome=outcome.value)
    if outcome not in {Outcome.FORGED, Outcome.MALFORMED}:
        metrics.CALLBACK_AT.set(time.time())


def begin_counting() -> None:
    """Who waits for the first callback in vain should know since when."""
    metrics.KIE_CALLBACKS.begin(outcome=Outcome)
    metrics.CALLBACK_AT.set(time.time())


def _kie_task_id(body: bytes) -> str:
    """KIE's interfaces do not agree on the name or the place of the id."""
    try:
        root = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(HTTPStatus.BAD_REQUEST) from None
    for holder in (_child(root, "data"), root):
        for name in ("taskId", "task_id"):
            found = _child(holder, name)
            if isinstance(found, str) and _KIE_TASK_ID.fullmatch(found):
                return found
    raise Refused(HTTPStatus.BAD_REQUEST)


def _child(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _answer(status: HTTPStatus, said: str) -> Response:
    return JSONResponse({"code": status.value, "msg": said}, status.value)
