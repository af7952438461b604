"""KIE says that a task ended. Its body is not signed, so all it does is wake the workflow that asks KIE."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from pydantic import SecretStr
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from clients.kie_callbacks import callback_is_ours
from clients.kie_signatures import signature_fits
from domain.clock import Clock, utc_now
from workflows.start import Delivered, TemporalUnavailable

BODY_BYTES_MAX: Final = 64 * 1024
_BODY_SECONDS_MAX: Final = 10.0
_NO_SECRET: Final = SecretStr("")
_KIE_TASK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")

SignalKieCallback = Callable[[str, str], Awaitable[Delivered]]
"""Attempt id, KIE task id; raises TemporalUnavailable."""


class _Refused(Exception):
    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


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
            delivered = await self.signal(attempt_id, kie_task_id)
        except _Refused as refused:
            return _answer(refused.status, refused.status.phrase)
        except TemporalUnavailable:
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "try again")
        return _answer(HTTPStatus.OK, delivered.value)

    async def _read(self, request: Request) -> tuple[str, str]:
        attempt_id: str = request.path_params["attempt_id"]
        if not callback_is_ours(self.callback_secret, attempt_id, request.path_params["token"]):
            raise _Refused(HTTPStatus.NOT_FOUND)
        kie_task_id = _kie_task_id(await _body(request))
        if not self._signature_fits(request.headers, kie_task_id):
            raise _Refused(HTTPStatus.FORBIDDEN)
        return attempt_id, kie_task_id

    def _signature_fits(self, headers: Mapping[str, str], kie_task_id: str) -> bool:
        """Signing is switched on at KIE; without a signature the token in the address has to do."""
        signature = headers.get("x-webhook-signature")
        if signature is None:
            return True
        timestamp = headers.get("x-webhook-timestamp", "")
        return signature_fits(self.webhook_secret, kie_task_id, timestamp, signature, self.clock())


async def _body(request: Request) -> bytes:
    try:
        async with asyncio.timeout(_BODY_SECONDS_MAX):
            return await _limited_body(request)
    except TimeoutError:
        raise _Refused(HTTPStatus.REQUEST_TIMEOUT) from None
    except ClientDisconnect:
        raise _Refused(HTTPStatus.BAD_REQUEST) from None


async def _limited_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)


def _kie_task_id(body: bytes) -> str:
    """KIE's interfaces do not agree on the name or the place of the id."""
    try:
        root = json.loads(body)
    except (ValueError, RecursionError):
        raise _Refused(HTTPStatus.BAD_REQUEST) from None
    for holder in (_child(root, "data"), root):
        for name in ("taskId", "task_id"):
            found = _child(holder, name)
            if isinstance(found, str) and _KIE_TASK_ID.fullmatch(found):
                return found
    raise _Refused(HTTPStatus.BAD_REQUEST)


def _child(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _answer(status: HTTPStatus, said: str) -> Response:
    return JSONResponse({"code": status.value, "msg": said}, status.value)
