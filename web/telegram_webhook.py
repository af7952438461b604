"""Telegram posts updates here. An answer other than 2xx makes it post the same once more, later."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from pydantic import SecretStr
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from clients.telegram_webhooks import SECRET_HEADER, secret_fits

BODY_BYTES_MAX: Final = 1_000_000
_BODY_SECONDS_MAX: Final = 10.0
_COME_AGAIN: Final = {"retry-after": "2"}  # Telegram's own pauses grow to minutes

ReceiveUpdate = Callable[[bytes], Awaitable[bool]]
"""True when nothing of it needs to come again."""


@dataclass(frozen=True, slots=True)
class TelegramWebhookRoute:
    """`digest` is part of the address. Who does not know the secret hears nothing of what is here."""

    digest: str
    secret: SecretStr
    receive: ReceiveUpdate
    body_seconds_max: float = _BODY_SECONDS_MAX

    async def handle(self, request: Request) -> Response:
        """200 only when the update is handled."""
        if not secret_fits(self.secret, request.headers.get(SECRET_HEADER, "")):
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        body = await self._body(request)
        if isinstance(body, HTTPStatus):
            return Response(status_code=body)
        done = await self.receive(body)
        if not done:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_COME_AGAIN)
        return Response(status_code=HTTPStatus.OK)

    async def _body(self, request: Request) -> bytes | HTTPStatus:
        try:
            async with asyncio.timeout(self.body_seconds_max):
                return await _limited_body(request)
        except TimeoutError:
            return HTTPStatus.REQUEST_TIMEOUT
        except ClientDisconnect:
            return HTTPStatus.BAD_REQUEST


async def _limited_body(request: Request) -> bytes | HTTPStatus:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return bytes(body)
