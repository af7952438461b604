"""Telegram posts updates here. An answer other than 2xx makes it post the same once more, later."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from clients.telegram_webhooks import SECRET_HEADER, secret_fits
from web.bodies import BODY_SECONDS_MAX, Refused, read_body

BODY_BYTES_MAX: Final = 1_000_000
_COME_AGAIN: Final = {"retry-after": "2"}  # Telegram's own pauses grow to minutes

ReceiveUpdate = Callable[[bytes], Awaitable[bool]]
"""True when nothing of it needs to come again."""


@dataclass(frozen=True, slots=True)
class TelegramWebhookRoute:
    """`digest` is part of the address. Who does not know the secret hears nothing of what is here."""

    digest: str
    secret: SecretStr
    receive: ReceiveUpdate
    body_seconds_max: float = BODY_SECONDS_MAX

    async def handle(self, request: Request) -> Response:
        """200 only when the update is handled."""
        if not secret_fits(self.secret, request.headers.get(SECRET_HEADER, "")):
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        try:
            body = await read_body(request, BODY_BYTES_MAX, self.body_seconds_max)
        except Refused as refused:
            return Response(status_code=refused.status)
        done = await self.receive(body)
        if not done:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_COME_AGAIN)
        return Response(status_code=HTTPStatus.OK)
