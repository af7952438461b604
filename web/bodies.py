"""The body of a request, and no more of it than somebody may send."""

import asyncio
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect, Request

BODY_SECONDS_MAX: Final = 10.0


class Refused(Exception):
    """The request is answered with this status, and that is all."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


async def read_body(request: Request, bytes_max: int, seconds_max: float = BODY_SECONDS_MAX) -> bytes:
    """Raise Refused."""
    try:
        async with asyncio.timeout(seconds_max):
            return await _limited(request, bytes_max)
    except TimeoutError:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT) from None
    except ClientDisconnect:
        raise Refused(HTTPStatus.BAD_REQUEST) from None


async def _limited(request: Request, bytes_max: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)
